import { readFileSync, realpathSync, statfsSync } from 'node:fs';
import { SourceError } from '../../errors.ts';

/** `f_type` of file systems where append, lock and fsync do not hold between machines (linux/magic.h). */
const networkTypes = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9P'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
]);
const fuseType = 0x65735546;
/** FUSE serves local disks as well; these are known not to be. */
const networkFuse = /^fuse\.(sshfs|s3fs|gcsfuse|glusterfs|rclone|davfs|goofys|mountpoint-s3|juicefs|ceph|curlftpfs)/;

/**
 * Refuses a directory that lies on a network file system.
 * @throws SourceError `log.foreign`.
 */
export function requireLocalFileSystem(directory: string): void {
  // Signed on some platforms, so compare 32 bits.
  const type = statfsSync(directory).type >>> 0;
  const name = type === fuseType ? fuseName(directory) : networkTypes.get(type);
  if (name === undefined) return;
  throw new SourceError(
    'log.foreign',
    `${directory}: a log cannot be written to a network file system (${name}); use a local disk`,
    { context: { directory } },
  );
}

/** The kind of FUSE mount that holds the directory, where it is a network one. */
function fuseName(directory: string): string | undefined {
  const path = `${realpathSync(directory)}/`;
  let best = { point: '', type: '' };
  for (const line of mounts()) {
    const [, point = '', type = ''] = line.split(' ');
    if (path.startsWith(point === '/' ? '/' : `${point}/`) && point.length >= best.point.length) best = { point, type };
  }
  return networkFuse.test(best.type) ? best.type : undefined;
}

function mounts(): string[] {
  try {
    return readFileSync('/proc/self/mounts', 'utf8').split('\n');
  } catch {
    // No /proc: the kind is unknown, and a local disk is the likelier one.
    return [];
  }
}
