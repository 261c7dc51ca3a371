"""Claims of a study, and the diagrams of the mechanism whose arrows they are."""

from typing import Literal

from pydantic import Field, model_validator

from tandem.study_parts import Name, Strict, Text


class Claim(Strict):
    """A claim, its test and what others found; the rule of each test is fixed in tandem.claims."""

    claim: Text
    part: Literal[
        "talent", "technology", "capital", "demand structure", "supply structure",
        "technological support", "institutional support", "two-way link", "stages",
    ]  # fmt: skip
    test: Literal["two_way", "link", "stages", "spillover", "threshold", "bound", "none"]
    cause: Name | None = Field(None, description="system, derived or published series")
    effect: Name | None = Field(None, description="system or derived series")
    by: Name | None = Field(None, description="derived series that has the threshold")
    sign: Literal["+", "-"] = "+"
    value: float | None = Field(None, description="the claimed threshold or bound")
    published: list[str] = Field([], description="what others found, with its sign")
    needs: str = Field("", description="the series that would settle it")

    @model_validator(mode="after")
    def _complete(self):
        if self.test in ("two_way", "link", "spillover", "threshold") and not (
            self.cause and self.effect
        ):
            raise ValueError(f"a claim tested by '{self.test}' names its cause and its effect")
        if self.test in ("threshold", "bound") and self.value is None:
            raise ValueError(f"a claim tested by '{self.test}' gives the claimed value")
        if self.test == "threshold" and not self.by:
            raise ValueError("a claim tested by 'threshold' names the series that has it: by")
        if self.test == "bound" and not self.cause:
            raise ValueError("a claim tested by 'bound' names the published series: cause")
        if self.test == "none" and not self.needs:
            raise ValueError("a claim that cannot be tested says which series it needs")
        return self


class Node(Strict):
    """A box of a diagram."""

    at: tuple[float, float] = Field(description="centre, from 0 at the left and bottom to 1")
    label: Text | None = Field(None, description="a system or series brings its own")


class Arrow(Strict):
    """An arrow of a diagram and the claims that it stands for; none if nobody measures it."""

    ends: tuple[Name, Name] = Field(description="from which node to which")
    claims: list[Name] = []


class Diagram(Strict):
    """A mechanism as boxes and arrows; the claims' estimates are drawn on them."""

    title: Text
    caption: Text
    nodes: dict[Name, Node] = Field(min_length=2)
    arrows: list[Arrow] = Field(min_length=1)

    @model_validator(mode="after")
    def _ends_are_nodes(self):
        for arrow in self.arrows:
            for end in arrow.ends:
                if end not in self.nodes:
                    raise ValueError(
                        f"an arrow ends at '{end}', which is no node of the diagram; its nodes "
                        f"are {', '.join(self.nodes)}"
                    )
        return self
