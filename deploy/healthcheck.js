// Whether the pipeline of this container is ready. Docker keeps what this prints, so `docker inspect` says why it is not.
const port = process.env.MILLRACE_PORT ?? 9464;
const response = await fetch(`http://127.0.0.1:${port}/v2/health/ready`);
console.log(await response.text());
process.exitCode = response.ok ? 0 : 1;
