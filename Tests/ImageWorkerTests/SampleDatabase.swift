import Foundation
import ImageModel
import Subprocess
import SystemPackage

/// An rpmdb that rpm(8) writes into a directory of its own. The files of packages are not installed.
struct SampleDatabase {
    let directory: FilePath

    /// The place of an rpmdb in images of Fedora.
    static let place = "usr/lib/sysimage/rpm"
    /// Packages of `tests-repo`. One of them has an epoch.
    static let packages = ["ed-1.20-3.x86_64", "ed-dictionary-2.0-1.noarch"].map { repository.appending("\($0).rpm") }

    private static let repository = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        .pushing("tests-repo/Packages")

    /// Makes an rpmdb in a directory that does not exist yet.
    init(_ directory: FilePath, _ packages: [FilePath]) async throws {
        self.directory = directory
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        // Packages of other architectures are accepted, and scripts do not run.
        try await Self.execute(
            "rpm",
            ["--dbpath", directory.string, "--justdb", "--nodeps", "--noscripts", "--nosignature", "--ignorearch", "--ignoreos", "-i"]
                + packages.map(\.string))
    }

    /// Builds a package that has an epoch and belongs to a module, and returns its file.
    static func modularPackage(in directory: FilePath) async throws -> FilePath {
        let specification = directory.appending("modular.spec")
        try """
        Name: modular
        Epoch: 3
        Version: 1~rc1
        Release: 2
        Summary: A package of a module
        License: MIT
        ModularityLabel: ed:classic:20180405123256:c2c572ec
        BuildArch: noarch
        %description
        A package of a module.
        %files

        """.write(toFile: specification.string, atomically: true, encoding: .utf8)
        try await execute(
            "rpmbuild",
            [
                "-bb", "--quiet", "--define", "_topdir \(directory)/build", "--define", "_rpmdir \(directory)/rpms", "--define",
                "_dbpath \(directory)/none", specification.string,
            ])
        return directory.pushing("rpms/noarch/modular-1~rc1-2.noarch.rpm")
    }

    /// Returns the packages as `rpm -qa` lists them.
    func listed() async throws -> [InstalledPackage] {
        let tags = ["NAME", "EPOCHNUM", "VERSION", "RELEASE", "ARCH", "SOURCERPM", "MODULARITYLABEL"]
        let format = tags.map { "%{\($0)}" }.joined(separator: "|") + "\n"
        let list = try await Self.execute("rpm", ["--dbpath", directory.string, "-qa", "--qf", format])
        return list.split(separator: "\n").map { line in
            let values = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            return InstalledPackage(
                name: values[0], evr: EVR(epoch: Int(values[1]) ?? -1, version: values[2], release: values[3]), arch: values[4],
                source: values[5], modularityLabel: values[6] == "(none)" ? nil : values[6])
        }
    }

    /// Runs a statement of SQL. The second database is attached as `other`.
    ///
    /// - Parameter leavesLog: Whether the change stays in the `-wal` file, as when a process is killed.
    func change(_ statement: String, other: SampleDatabase? = nil, leavesLog: Bool = false) async throws {
        let script = """
            import os, sqlite3, sys
            database = sqlite3.connect(sys.argv[1])
            if sys.argv[4:]:
                database.execute("ATTACH ? AS other", [sys.argv[4]])
            database.execute(sys.argv[2])
            database.commit()
            if sys.argv[3] == "true":
                os._exit(0)
            database.close()

            """
        try await Self.execute("python3", ["-c", script, file.string, statement, "\(leavesLog)"] + (other.map { [$0.file.string] } ?? []))
    }

    /// The bytes of the rpmdb.
    func bytes(_ suffix: String = "") throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: file.string + suffix))) }

    private var file: FilePath { directory.appending("rpmdb.sqlite") }

    /// The error for a program that failed.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    @discardableResult
    private static func execute(_ program: String, _ arguments: [String]) async throws -> String {
        let result = try await Subprocess.run(
            .name(program), arguments: Arguments(arguments), environment: .inherit.updating(["LC_ALL": "C.UTF-8"]),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw Failure(description: "\(program) \(arguments.joined(separator: " "))\n\(result.standardOutput)\(result.standardError)")
        }
        return result.standardOutput
    }
}
