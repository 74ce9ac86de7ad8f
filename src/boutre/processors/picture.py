"""
The pipeline as a picture, for the README and for whoever would rather look than read.
"""

from __future__ import annotations

from boutre.processors.pipeline import Pipeline


def mermaid(pipeline: Pipeline) -> str:
    """
    Draw the pipeline for the README: members, steps, recipients, and the topics between them, by pattern.
    """
    declarations = pipeline.declarations
    lines = ["flowchart LR", *(f'    {_mark(edge.name)}["{edge.name}"]' for edge in pipeline.edges)]
    for accept in pipeline.file.accept:
        lines += [f'    {_mark(member)}(["{member}"]) -- national.* --> {_mark(accept.name)}' for member in accept.members]
        lines.append(f"    {_mark(accept.name)} -- bus.* --> {_mark(pipeline.file.release.name)}")
    lines += [
        f'    {_mark(pipeline.file.release.name)} -- for.* --> to_{_mark(recipient)}(["{recipient}"])'
        for recipient in declarations.recipients
    ]
    receipts = [f"    {_mark(pipeline.file.release.name)} -- bus.receipt --> receipts[(receipts)]"]
    rejects = [f"    {_mark(accept.name)} -. rejects.* .-> rejects[(each member's own rejects)]" for accept in pipeline.file.accept]
    return "\n".join([*lines, *receipts, *rejects]) + "\n"


def _mark(name: str) -> str:
    return name.replace("-", "_")
