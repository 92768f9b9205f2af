import Glibc
public import SystemPackage

extension FilePath {
    /// Returns the bytes that a program without special rights can still write to the disk of the path.
    ///
    /// - Throws: `Errno` if the disk cannot be asked, for example because nothing is at the path.
    public func freeBytes() throws(Errno) -> Int {
        var disk = statvfs()
        guard statvfs(string, &disk) == 0 else { throw Errno(rawValue: errno) }
        let (bytes, overflow) = Int(clamping: disk.f_bavail).multipliedReportingOverflow(by: Int(clamping: disk.f_frsize))
        return overflow ? .max : bytes
    }
}
