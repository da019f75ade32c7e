"""What each public listener lets through, and where to: deployments, their routes, and matching a request to one."""
