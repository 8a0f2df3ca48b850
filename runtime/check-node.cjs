/**
 * Runs before the scripts of package.json, on whatever Node there is: where npm ci could not bring one (another
 * platform, or optional dependencies left out), it says which is needed before Node stumbles over the first .ts file.
 */
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `kinesis-fleet runs on Node >= 22.19, and this is ${process.version}. On Linux (x64, arm64) "npm ci" brings the right one; ` +
      `on ${process.platform} ${process.arch} install it yourself.\n`,
  );
  process.exit(1);
}
