# What waits for the team of billing to decide.
data "kafka_access_requests" "waiting" {
  environment = "dev"
  owner       = "billing"
  status      = "pending"
}

output "waiting_for_billing" {
  value = [for it in data.kafka_access_requests.waiting.requests : {
    id         = it.id
    revision   = it.revision
    who        = it.applicant
    wants      = it.operations
    on         = it.resource_name
    because    = it.justification
    expires_at = it.expires_at
  }]
}
