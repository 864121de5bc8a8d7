# The environment and the name of the subject.
terraform import kafka_schema.orders dev/billing.orders.v1-value
