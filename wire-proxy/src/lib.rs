//! A proxy between a Kafka client and its brokers.
