//! Evidence -> diagnosis: a table of problems with stable codes, and what each one costs.
