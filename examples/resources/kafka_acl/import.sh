# The environment, and the rules as Kafka writes them, with `;` between principals and between operations.
terraform import kafka_acl.billing 'dev/TOPIC|PREFIXED|billing.|User:billing;User:billing-batch|*|READ;WRITE|ALLOW'
