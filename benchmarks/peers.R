# Estimates of plm and panelvar and their seconds of the processor: Rscript peers.R data.csv out.csv
installed <- Filter(function(x) suppressMessages(require(x, character.only = TRUE, quietly = TRUE)),
                    c("plm", "panelvar"))
files <- commandArgs(trailingOnly = TRUE)
rounds <- 5
frame <- read.csv(files[1])

by_plm <- function() {
  panel <- pdata.frame(frame, index = c("firm", "year"))
  fit <- pgmm(n ~ lag(n, 1:2) + w + k | lag(n, 2:4), data = panel, effect = "individual",
              model = "twosteps", transformation = "d")
  summary(fit, robust = TRUE)$coefficients[1:4, 1:2]
}
by_panelvar <- function() {
  fit <- pvargmm(dependent_vars = c("n", "w"), lags = 1, transformation = "fod", data = frame,
                 panel_identifier = c("firm", "year"), steps = "twostep",
                 system_instruments = FALSE, max_instr_dependent_vars = 4,
                 min_instr_dependent_vars = 2, collapse = TRUE, progressbar = FALSE)
  fit$second_step
}
told <- function(package, what, values) data.frame(package, what, value = as.vector(values))
found <- list()
for (package in installed) {
  task <- list(plm = by_plm, panelvar = by_panelvar)[[package]]
  found[[length(found) + 1]] <- told(package, "estimate", t(as.matrix(task())))
  spent <- replicate(rounds, sum(system.time(task())[1:2]))
  found[[length(found) + 1]] <- told(package, "seconds", spent)
}
write.csv(do.call(rbind, found), files[2], row.names = FALSE)
