import Foundation
import Glibc
import Subprocess
import SystemPackage
import Testing

@testable import odcs_server

/// `odcs-server check-host`, and the same look at the host before a start, as processes of their own on this host.
@Suite struct HostCheckTests {
    private struct Outcome {
        let status: TerminationStatus
        let output: String
        let complaints: String
    }

    /// A directory with a configuration file, and what is to be in it.
    private func with(
        target: FilePath? = nil, _ body: (_ directory: FilePath, _ configuration: FilePath) async throws -> Void
    ) async throws {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-host-\(UUID().uuidString)")
        let source = directory.appending("source")
        try FileManager.default.createDirectory(atPath: source.string, withIntermediateDirectories: true)
        for made in [directory, source] { chmod(made.string, 0o755) }
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        let configuration = directory.appending("odcs.yaml")
        let text = """
            state_directory: "\(directory.appending("state"))"
            frontend: {port: 0}
            sources: {allowed_roots: ["\(source)"]}
            composes: {targets: {default: {directory: "\(target ?? directory.appending("composes"))"}}}

            """
        try Data(text.utf8).write(to: URL(filePath: configuration.string))
        chmod(configuration.string, 0o644)
        try await body(directory, configuration)
    }

    /// Runs the server program, behind `prefix` such as prlimit(1).
    private func run(
        _ arguments: [String], behind prefix: [String] = [], environment: [Environment.Key: String?] = [:]
    ) async throws -> Outcome {
        // The program is built beside the test's own executable.
        let command = prefix + [FilePath(CommandLine.arguments[0]).removingLastComponent().appending("odcs-server").string] + arguments
        let result = try await Subprocess.run(
            command[0].contains("/") ? .path(FilePath(command[0])) : .name(command[0]), arguments: Arguments(Array(command.dropFirst())),
            environment: .inherit.updating(["LC_ALL": "C.UTF-8"]).updating(environment),
            output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
        return Outcome(status: result.terminationStatus, output: result.standardOutput, complaints: result.standardError)
    }

    /// Another user than root, who may still reach the program wherever it was built.
    private static let nobody = [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
        "--",
    ]
    private static var isRoot: ConditionTrait { .enabled(if: geteuid() == 0, "only root can become another user") }

    @Test("a host that has everything is fine, and its libraries are named")
    func hostThatHasEverythingIsFine() async throws {
        try await with { _, configuration in
            let outcome = try await run(["check-host", "--config", configuration.string], behind: ["prlimit", "--nofile=4096"])
            #expect(outcome.status == .exited(0), "\(outcome)")
            for library in ["librpm", "libsolv", "libcreaterepo_c", "libxml2", "libmodulemd", "libpq"] {
                #expect(outcome.output.contains(try Regex("\(library) [0-9]+\\.[0-9]+")), "\(outcome.output)")
            }
            #expect(outcome.output.hasSuffix("This host is fine.\n"), "\(outcome.output)")
        }
    }

    @Test("without librpm's configuration nothing starts, and the package to install is named")
    func withoutLibrpmConfigurationNothingStarts() async throws {
        let finding =
            "librpm's configuration (rpmrc and macros) is missing on this host, or cannot be read. Install the package rpm-common. "
            + "If RPM_CONFIGDIR is set, it must name the directory with rpmrc."
        try await with { directory, configuration in
            let nowhere: [Environment.Key: String?] = ["RPM_CONFIGDIR": directory.appending("nowhere").string]
            let checked = try await run(["check-host", "--config", configuration.string], environment: nowhere)
            #expect(checked.status == .exited(1))
            #expect(checked.output.contains("\nError: \(finding)\n"), "\(checked.output)")
            let started = try await run(["run", "--config", configuration.string], environment: nowhere)
            #expect(started.status == .exited(1))
            #expect(started.complaints.hasSuffix("Error: \(finding)\n"), "\(started.complaints)")
            #expect(!FileManager.default.fileExists(atPath: directory.appending("state").string))
        }
    }

    @Test("librpm's missing configuration is no fault of the repository that is read")
    func librpmMissingConfigurationIsNoFault() async throws {
        let tests = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent().appending("tests-repo")
        let outcome = try await run(["resolve", tests.string, "ed"], environment: ["RPM_CONFIGDIR": "/nonexistent"])
        #expect(outcome.status == .exited(1))
        #expect(
            outcome.complaints.contains(
                "The service's host is not set up completely: librpm's configuration (rpmrc and macros) is missing or cannot be read; "
                    + "on Debian the package rpm-common has it. The operator of this service can help."), "\(outcome.complaints)")
        #expect(!outcome.complaints.contains("tests-repo"), "\(outcome.complaints)")
    }

    @Test(
        "a locale that is missing or not UTF-8 is a warning",
        arguments: [
            ("xx_YY.UTF-8", "The locale xx_YY.UTF-8 is not installed on this host."),
            ("C", "The locale's character set is ANSI_X3.4-1968, not UTF-8."),
        ])
    func locale(name: String, problem: String) async throws {
        try await with { _, configuration in
            let outcome = try await run(["check-host", "--config", configuration.string], environment: ["LC_ALL": name])
            #expect(outcome.status == .exited(0))
            #expect(
                outcome.output.contains("\nWarning: \(problem) Set LC_ALL=C.UTF-8 in the environment of the service.\n"),
                "\(outcome.output)")
            #expect(outcome.output.hasSuffix("The service can run here.\n"))
        }
    }

    @Test("few open files are a warning, which check-config gives as well without refusing the file")
    func fewOpenFilesAreWarning() async throws {
        let warning = "Warning: This process may have 512 files open. Each client and each download takes one. Set LimitNOFILE=65536"
        try await with { _, configuration in
            let host = try await run(["check-host", "--config", configuration.string], behind: ["prlimit", "--nofile=512"])
            #expect(host.status == .exited(0) && host.output.contains(warning), "\(host)")
            let file = try await run(["check-config", "--config", configuration.string], behind: ["prlimit", "--nofile=512"])
            #expect(file.status == .exited(0) && file.complaints.contains(warning), "\(file)")
            #expect(file.output == "\(configuration): fine.\n")
        }
    }

    @Test("directories that the service cannot write are named, with the user, and nothing starts", Self.isRoot)
    func directoriesThatServiceCannotWriteAre() async throws {
        try await with { directory, configuration in
            let expected =
                "\(directory.appending("state")) cannot be made, because \(directory) cannot be written by the user nobody (uid 65534): "
                + "Permission denied. Give the directory to this user (chown), or let state_directory name another directory."
            let host = try await run(["check-host", "--config", configuration.string], behind: Self.nobody)
            #expect(host.status == .exited(1) && host.output.contains("\nError: \(expected)\n"), "\(host)")
            let started = try await run(["run", "--config", configuration.string], behind: Self.nobody)
            #expect(started.status == .exited(1) && started.complaints.hasSuffix("Error: \(expected)\n"), "\(started)")
        }
    }

    @Test(
        "packages of another user are said to be copied where the kernel protects hard links", Self.isRoot,
        .enabled(if: Self.hardLinksAreProtected, "fs.protected_hardlinks is 0 here"))
    func packagesOfAnotherUserAreSaid() async throws {
        try await with { directory, configuration in
            chown(directory.string, 65534, 65534)
            let outcome = try await run(["check-host", "--config", configuration.string], behind: Self.nobody)
            #expect(outcome.status == .exited(0), "\(outcome)")
            #expect(
                outcome.output.contains(
                    "Warning: Packages from \(directory.appending("source")) are copied, not hard-linked: fs.protected_hardlinks lets the user "
                        + "nobody (uid 65534) link only files that it owns or may write."), "\(outcome.output)")
        }
    }

    private static var hardLinksAreProtected: Bool {
        FileManager.default.contents(atPath: "/proc/sys/fs/protected_hardlinks")?.first == UInt8(ascii: "1")
    }

    @Test("sources and composes on different file systems are a warning")
    func sourcesAndComposesOnDifferentFile() async throws {
        let target = FilePath("/dev/shm/odcs-host-\(UUID().uuidString)")
        try await with(target: target) { directory, configuration in
            let outcome = try await run(["check-host", "--config", configuration.string])
            #expect(outcome.status == .exited(0), "\(outcome)")
            #expect(
                outcome.output.contains(
                    "Warning: Packages from \(directory.appending("source")) are copied into \(target), not hard-linked: "
                        + "these directories are on different file systems."), "\(outcome.output)")
            #expect(!FileManager.default.fileExists(atPath: target.string))
        }
    }

    @Test("sources on another mount of the same file system are a warning, as in the sandbox of a systemd unit", Self.isRoot)
    func sourcesOnAnotherMount() async throws {
        // A new namespace of mounts, in which nothing is shared with that of the host.
        let bound = "mount --make-rprivate / 2>/dev/null; mount --bind \"$0\" \"$0\" && exec \"$@\""
        try await with { directory, configuration in
            let source = directory.appending("source")
            let outcome = try await run(
                ["check-host", "--config", configuration.string],
                behind: ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", bound, source.string])
            #expect(outcome.status == .exited(0), "\(outcome)")
            #expect(
                outcome.output.contains(
                    "Warning: Packages from \(source) are copied into \(directory.appending("composes")), not hard-linked: "
                        + "these directories are on one file system, but on different mounts of it, and the kernel links only within a mount."
                ),
                "\(outcome.output)")
            let together = try await run(["check-host", "--config", configuration.string])
            #expect(!together.output.contains("different mounts"), "\(together.output)")
        }
    }

    @Test("clocks that are apart are a warning that says how far and which way")
    func clocksThatAreApartAreWarning() {
        #expect(HostCheck.clock(ahead: 4.9).isEmpty && HostCheck.clock(ahead: -4.9).isEmpty)
        #expect(HostCheck.clock(ahead: 3600.2).map(\.problem) == ["This host's clock is 3600 s ahead of the database's clock."])
        #expect(HostCheck.clock(ahead: -90).map(\.problem) == ["This host's clock is 90 s behind the database's clock."])
    }

    @Test(
        "what the service makes can be read by everybody and written by its owner, and by the group if the host says so",
        arguments: [(0o022, 0o022), (0o027, 0o022), (0o077, 0o022), (0o002, 0o002), (0o007, 0o002), (0, 0o002)] as [(mode_t, mode_t)])
    func creationMask(inherited: mode_t, expected: mode_t) {
        #expect(CreationMask.opened(inherited) == expected)
    }
}
