//! Log + health after a start -> verdict; back-off; when to go again and when to stop.
