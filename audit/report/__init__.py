"""The auditor's report: the answer of the verifier as one page for people."""
