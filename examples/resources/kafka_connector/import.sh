# The environment, the Connect cluster and the name of the connector.
terraform import kafka_connector.orders dev/main/billing.orders-file
