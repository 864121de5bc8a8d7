import {
  to = kafka_access_decision.shipping_reads_invoices
  id = "dev/shipping-1a2b3c4d:owner"
}
