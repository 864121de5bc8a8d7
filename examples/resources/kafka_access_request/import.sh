# The environment and the id of the request.
terraform import kafka_access_request.invoices dev/shipping-1a2b3c4d
