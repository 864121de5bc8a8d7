import {
  to = kafka_access_request.invoices
  id = "dev/shipping-1a2b3c4d"
}
