import {
  to = kafka_application.billing
  id = "dev/billing"
}
