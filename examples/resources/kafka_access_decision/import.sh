# The environment, the id of the request, and as what it was decided.
terraform import kafka_access_decision.shipping_reads_invoices dev/shipping-1a2b3c4d:owner
