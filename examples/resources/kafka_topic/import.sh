# The environment and the name of the topic.
terraform import kafka_topic.orders dev/billing.orders.v1
