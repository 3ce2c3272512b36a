"""What an auditor runs: verification of records, and its report. Reads only; no network."""
