//! Health and allocation over HTTP; which node holds which copy.
