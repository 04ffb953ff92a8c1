"""Judges the resources in a YAML file by the schemas of Kubernetes and of Prometheus's operator: prints what is wrong with each."""

import json
import sys

import kubernetes_validate
import yaml
from cloudcoil.models.prometheus_operator import v1 as operator

KUBERNETES = "1.34"


def problem_of(resource):
    try:
        if resource["apiVersion"].startswith("monitoring.coreos.com/"):
            # The model leaves out what it does not know.
            read = getattr(operator, resource["kind"]).model_validate(resource)
            kept = json.loads(read.model_dump_json(by_alias=True, exclude_unset=True))
            return None if kept == resource else f"unknown fields: {resource} is read as {kept}"
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)
        return None
    except Exception as error:
        return str(error)


with open(sys.argv[1]) as file:
    resources = list(yaml.safe_load_all(file))
problems = {resource["kind"]: problem_of(resource) for resource in resources}
print(json.dumps(problems))
