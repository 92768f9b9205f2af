import Compression
import Foundation
import Glibc
import Repodata
import Subprocess
import SystemPackage

@testable import ContentSources

/// Real RPMs, built once, and repositories of them as createrepo_c makes them.
struct TestRepository: Sendable {
    /// How the documents are stored: the first three by createrepo_c, the others written here, because its version of Debian 12 cannot.
    enum Storage: String, CaseIterable, Sendable {
        case gz, xz, bz2, zst, plain
    }

    let directory: FilePath

    /// Makes a repository of all built packages in the new directory `directory`; `marker` ends up in repomd.xml, so that two differ.
    init(_ directory: FilePath, storage: Storage = .gz, marker: String = "1") async throws {
        self.directory = directory
        try directory.createDirectory()
        for rpm in try await BuiltPackages.shared.files {
            try FileManager.default.copyItem(atPath: rpm.string, toPath: directory.appending(rpm.lastComponent?.string ?? "").string)
        }
        try await create(storage: storage, marker: marker)
    }

    /// Makes the metadata anew from the files that are there.
    func create(storage: Storage = .gz, marker: String = "1") async throws {
        let byCreaterepo = [.gz, .xz, .bz2].contains(storage) ? storage : .gz
        try await execute(
            "createrepo_c",
            ["--quiet", "--no-database", "--revision", marker, "--general-compress-type", byCreaterepo.rawValue, directory.string])
        if byCreaterepo != storage { try await store(as: storage, marker: marker) }
    }

    /// The packages, by name.
    func record(_ name: String, base: String? = nil) throws -> PackageRecord {
        let file = directory.appending("\(name)-1.0-1.noarch.rpm")
        return PackageRecord(
            nevra: NEVRA(name: name, version: "1.0", release: "1", arch: "noarch"), pkgid: try FileChecksum.of(file, .sha256),
            repository: Checksum(.sha256, hex: String(repeating: "0", count: 64)), location: "\(name)-1.0-1.noarch.rpm", base: base,
            size: Int(try file.stat().size), sourceRPM: nil)
    }

    func file(_ name: String) -> FilePath { directory.appending("\(name)-1.0-1.noarch.rpm") }

    var repomd: FilePath { directory.appending("repodata/repomd.xml") }

    /// The stored file of a document.
    func document(_ type: String) throws -> FilePath {
        let record = try Repomd(parsing: repomd.contents()).record(type)
        return directory.appending(record?.location ?? "none")
    }

    /// Replaces the content of primary and writes a repomd.xml that agrees.
    func replacePrimary(with text: String) throws {
        try directory.appending("repodata/primary.xml").write(text)
        try writeRepomd([("primary", "repodata/primary.xml", nil)], marker: "replaced")
    }

    private func store(as storage: Storage, marker: String) async throws {
        var documents: [(type: String, location: String, open: Checksum?)] = []
        for record in try Repomd(parsing: repomd.contents()).records {
            let plain = "repodata/\(record.type).xml"
            try Compression.decompress(directory.appending(record.location), to: directory.appending(plain), limit: 1 << 30, expecting: nil)
            if storage == .zst { try await execute("zstd", ["--quiet", "--rm", directory.appending(plain).string]) }
            documents.append((record.type, storage == .zst ? plain + ".zst" : plain, record.openChecksum))
        }
        try writeRepomd(documents, marker: marker)
    }

    /// Writes a repomd.xml that describes the files as they are.
    func writeRepomd(_ documents: [(type: String, location: String, open: Checksum?)], marker: String) throws {
        var text =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\"><revision>\(marker)</revision>"
        for (type, location, open) in documents {
            let file = directory.appending(location)
            text += "<data type=\"\(type)\"><checksum type=\"sha256\">\(try FileChecksum.of(file, .sha256).hex)</checksum>"
            if let open { text += "<open-checksum type=\"sha256\">\(open.hex)</open-checksum>" }
            text += "<location href=\"\(location)\"/><size>\(try file.stat().size)</size></data>"
        }
        try repomd.write(text + "</repomd>\n")
    }
}

/// The RPMs that all tests use: `ed` and `joe`, small, and `big`, which is too large for one read of a socket.
private actor BuiltPackages {
    static let shared = BuiltPackages()

    private static let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-sources-rpms-\(UUID().uuidString)")

    private var building: Task<[FilePath], any Error>?

    var files: [FilePath] {
        get async throws {
            if let building { return try await building.value }
            let task = Task { try await Self.build() }
            building = task
            return try await task.value
        }
    }

    private static func build() async throws -> [FilePath] {
        try directory.createDirectory()
        // Needed by all tests, of which none knows that it is the last.
        atexit { _ = try? FileManager.default.removeItem(atPath: BuiltPackages.directory.string) }
        for (name, size) in [("ed", 100), ("joe", 200), ("big", 3_000_000)] {
            // Random bytes, so that no compression makes it small.
            let random = try FileDescriptor.open("/dev/urandom", .readOnly)
            try directory.appending("\(name).payload").write(random.closeAfter { try RegularFile.contents(of: random, atMost: size) })
            let spec = directory.appending("\(name).spec")
            try spec.write(
                """
                Name: \(name)
                Version: 1.0
                Release: 1
                Summary: A package for tests
                License: MIT
                BuildArch: noarch
                %description
                A package for tests.
                %install
                install -D -m 644 \(directory)/\(name).payload %{buildroot}/usr/share/\(name)/payload
                %files
                /usr/share/\(name)/payload
                """)
            try await execute("rpmbuild", ["-bb", "--quiet", "--define", "_topdir \(directory)/build", spec.string])
        }
        return ["ed", "joe", "big"].map { directory.appending("build/RPMS/noarch/\($0)-1.0-1.noarch.rpm") }
    }
}

/// A command that a test needs did not succeed.
struct CommandFailed: Error {
    let command: String
    let output: String
}

/// Runs a command to its end.
func execute(_ command: String, _ arguments: [String]) async throws {
    let result = try await Subprocess.run(
        .name(command), arguments: Arguments(arguments), output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    guard result.terminationStatus.isSuccess else {
        throw CommandFailed(command: command, output: result.standardOutput + result.standardError)
    }
}
