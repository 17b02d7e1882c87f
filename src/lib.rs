//! Finds, proves and repairs damaged Elasticsearch and OpenSearch translogs.
