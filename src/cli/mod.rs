//! What was typed -> settings; one file a command. The only place that prints errors and knows
//! exit codes.
