import SystemPackage

extension FilePath {
    /// Writes the file, which must not exist. Throws `Errno`.
    ///
    /// The function does not wait until the disk has stored the file. Nothing in a compose waits for the
    /// disk, because that would take longer than most composes. Foundation would wait.
    func create(_ content: some Sequence<UInt8>) throws {
        let file = try FileDescriptor.open(
            self, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter { _ = try file.writeAll(content) }
    }
}
