import Glibc
public import SystemPackage

extension EmbeddedPostgres {
    /// Notes in a directory that its cluster is unused, because the service uses another database.
    /// ``start()`` removes the note, and ``visit()`` leaves it. Does nothing if the directory has no
    /// cluster.
    ///
    /// A purge of the Debian package deletes composes only together with the database that knows them, see
    /// `debian/odcs-server.postrm`.
    ///
    /// - Throws: `Errno` if the note cannot be written.
    public static func noteUnused(_ directory: FilePath) throws {
        let cluster = Cluster(directory: directory)
        if cluster.version() != nil { try cluster.noteUnused() }
    }
}

extension Cluster {
    /// A file that exists while the service uses another database than the data here.
    var unusedNote: FilePath { directory.appending("unused") }

    func noteUnused() throws {
        try FileDescriptor.open(unusedNote, .writeOnly, options: [.create], permissions: [.ownerReadWrite, .groupRead, .otherRead]).close()
    }

    func removeUnusedNote() { unlink(unusedNote.string) }
}
