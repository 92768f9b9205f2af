import SystemPackage

extension FilePath {
    /// Writes the file, which must not exist.
    ///
    /// It is not made sure that the disk has it: nothing of a compose is, since waiting for the disk would take longer than most composes. Foundation
    /// would wait.
    func create(_ content: some Sequence<UInt8>) throws {
        let file = try FileDescriptor.open(
            self, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter { _ = try file.writeAll(content) }
    }
}
