"""One module a framework, each with the same front: which application does this workload?

Every module has `NAME` (as shown in a table), `PACKAGE` (the distribution whose
version is reported, empty for the raw applications) and
`build(workload: str) -> AsgiApplication | None`, where None means that the
framework has no way of its own to do that workload.
"""
