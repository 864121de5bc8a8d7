import {
  to = kafka_access_request.invoices
  identity = {
    cluster_id = "MkU3OEVBNTcwNTJENDM2Qg"
    request_id = "shipping-1a2b3c4d"
  }
}
