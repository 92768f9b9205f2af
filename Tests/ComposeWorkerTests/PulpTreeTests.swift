import ComposeModel
import Foundation
import NIOPosix
import Subprocess
import SystemPackage
import Testing

@testable import ComposeStore
@testable import ComposeWorker

@Suite("A compose of Pulp's repositories")
struct PulpTreeTests {
    private static let x86 = PulpRepository(
        id: "ed-x86_64", contentSet: "f26-rpms", url: "https://pulp/content/f26-rpms/x86_64/os/", arch: "x86_64", sigkeys: ["0b3e5524"],
        productVersions: ["26"])
    private static let arm = PulpRepository(
        id: "ed-aarch64", contentSet: "f26-rpms", url: "https://pulp/content/f26-rpms/aarch64/os/", arch: "aarch64")

    private func repoFile(_ repositories: [PulpRepository], id: Int = 12, onlyCompatibleArch: Bool = false) -> String {
        PulpRepoFile(
            layout: ComposeLayout(id: id), repositories: repositories, onlyCompatibleArch: onlyCompatibleArch, gpgcheck: false
        ).text
    }

    @Test("the repo file has a section for each repository, named after the compose and the repository")
    func sections() {
        #expect(
            repoFile([Self.arm, Self.x86])
                == """
                [odcs-12-ed-aarch64]
                name=ODCS compose 12 - f26-rpms aarch64
                baseurl=https://pulp/content/f26-rpms/aarch64/os/
                enabled=1
                enabled_metadata=1
                skip_if_unavailable=False
                gpgcheck=0
                repo_gpgcheck=0

                [odcs-12-ed-x86_64]
                name=ODCS compose 12 - f26-rpms x86_64
                baseurl=https://pulp/content/f26-rpms/x86_64/os/
                enabled=1
                enabled_metadata=1
                skip_if_unavailable=False
                gpgcheck=0
                repo_gpgcheck=0

                """)
    }

    @Test(
        "with use_only_compatible_arch, repositories that differ in nothing but the architecture are one section, which may be unavailable")
    func compatibleArch() {
        #expect(
            repoFile([Self.arm, Self.x86], onlyCompatibleArch: true)
                == """
                [odcs-12-ed-aarch64]
                name=ODCS compose 12 - f26-rpms aarch64 x86_64
                baseurl=https://pulp/content/f26-rpms/$basearch/os/
                enabled=1
                enabled_metadata=1
                skip_if_unavailable=True
                gpgcheck=0
                repo_gpgcheck=0

                """)
    }

    @Test("no repositories give an empty file")
    func empty() {
        #expect(repoFile([]) == "")
    }

    @Test("Python's configparser reads the file, with unique sections, whatever characters ids have")
    func configparser() async throws {
        let ids = ["a b", "a/b", "a-b", "a-b-2", "x]\n[main]", "50%", "ä", "ok_1.2:3"]
        let repositories = ids.enumerated().map { number, id in
            PulpRepository(id: id, contentSet: "set %(x)s \(id)", url: "https://pulp/\(number)$x/", arch: nil)
        }
        try await Self.withDirectory { directory in
            // A second compose of the same, of which sections must differ as well.
            let text = repoFile(repositories) + "\n" + repoFile(Array(repositories.prefix(1)), id: 13)
            try Data(text.utf8).write(to: URL(filePath: directory.appending("x.repo").string))
            let script = """
                import configparser, sys
                parser = configparser.ConfigParser()
                parser.read(sys.argv[1])
                for section in parser.sections():
                    print(section, parser[section]['baseurl'], parser[section]['name'])
                """
            let printed = try await Self.run("python3", ["-c", script, directory.appending("x.repo").string])
            #expect(
                printed.split(separator: "\n").map { $0.split(separator: " ")[0] } == [
                    "odcs-12-a-b", "odcs-12-a-b-2", "odcs-12-a-b-3", "odcs-12-a-b-2-2", "odcs-12-x---main-", "odcs-12-50-", "odcs-12--",
                    "odcs-12-ok_1.2:3", "odcs-13-a-b",
                ])
        }
    }

    @Test("dnf uses what is there for its architecture and, with use_only_compatible_arch, passes over what is not")
    func dnf() async throws {
        try await Self.withDirectory { directory in
            for name in ["here/x86_64/os", "elsewhere/s390x/os", "repos", "log"] {
                try FileManager.default.createDirectory(atPath: directory.appending(name).string, withIntermediateDirectories: true)
            }
            for name in ["here/x86_64/os", "elsewhere/s390x/os"] {
                _ = try await Self.run("createrepo_c", ["--quiet", directory.appending(name).string])
            }
            let repositories = [("here", "aarch64"), ("elsewhere", "s390x")].map { (name: String, arch: String) in
                PulpRepository(id: "\(name)-\(arch)", contentSet: name, url: "file://\(directory)/\(name)/\(arch)/os/", arch: arch)
            }
            let file = URL(filePath: directory.appending("repos/x.repo").string)
            let arguments = [
                "--setopt=reposdir=\(directory)/repos", "--setopt=cachedir=\(directory)/cache", "--setopt=logdir=\(directory)/log",
                "--setopt=persistdir=\(directory)/state", "--setopt=varsdir=\(directory)/none", "--config=\(directory)/dnf.conf",
                "--forcearch=x86_64", "--releasever=1", "--noplugins", "-v", "repolist",
            ]
            try Data().write(to: URL(filePath: directory.appending("dnf.conf").string))
            try Data(repoFile(repositories, onlyCompatibleArch: true).utf8).write(to: file)
            let listed = try await Self.run("dnf", arguments)
            #expect(listed.contains("odcs-12-here-aarch64\n"))
            #expect(listed.contains("Repo-baseurl       : file://\(directory)/here/x86_64/os/\n"))
            #expect(!listed.contains("Repo-id            : odcs-12-elsewhere-s390x"))

            try Data(repoFile(repositories).utf8).write(to: file)
            await #expect(throws: ProgramFailed.self) { _ = try await Self.run("dnf", arguments) }
        }
    }

    @Test("the tree has the repo file, its name, its state, its lock file and its log, and no packages")
    func tree() async throws {
        try await Self.withDirectory { directory in
            let request = ComposeRequest(
                sourceType: .pulp, source: ["f26-rpms", "nothing"], flags: [.ignoreAbsentPulpRepos, .useOnlyCompatibleArch],
                arches: ["x86_64"], secondsToLive: 60)
            let submitted = Date(timeIntervalSince1970: 1_795_000_000)
            let compose = Compose(
                id: 12, owner: "me", request: request, source: "f26-rpms nothing", state: .generating, timeSubmitted: submitted,
                timeToExpire: submitted, resultOf: 12)
            let configuration = WorkerConfiguration(
                name: "w", targets: ["default": .init(directory: directory, url: "http://here/composes")])
            let attempt = try ComposeAttempt(
                ComposeLease(compose: compose, token: UUID()), until: LeaseDeadline(length: .seconds(3600)), configuration: configuration)
            attempt.log.write(.info, "Begun.")
            let tree = try await PulpTreeWriter(
                attempt: attempt, pin: PulpPin(repositories: [Self.x86], absent: ["nothing"]), gpgcheck: true, threadPool: .singleton
            ).write()
            #expect(tree.summary == "1 repository of Pulp")
            #expect(tree.findings == ["nothing is left out: Pulp has neither a content set nor a repository of that name to offer."])

            let files = try FileManager.default.subpathsOfDirectory(atPath: attempt.directory.string).sorted()
            #expect(
                files == [
                    "COMPOSE_ID", "STATUS", "compose", "compose.lock.json", "compose/Temporary", "compose/Temporary/odcs-12.repo",
                    "pungi-stderr.log",
                ])
            func text(_ name: String) throws -> String {
                try String(contentsOfFile: attempt.directory.appending(name).string, encoding: .utf8)
            }
            #expect(try text("COMPOSE_ID") == "odcs-12-1-20261118.t.0\n")
            #expect(try text("STATUS") == "FINISHED\n")
            #expect(try text("pungi-stderr.log").hasSuffix("Begun.\n"))
            let repo = try text("compose/Temporary/odcs-12.repo")
            #expect(repo.contains("baseurl=https://pulp/content/f26-rpms/$basearch/os/\n"))
            #expect(repo.contains("\ngpgcheck=1\n"))
            #expect(
                try text("compose.lock.json")
                    == """
                    {
                      "absent" : [
                        "nothing"
                      ],
                      "repositories" : [
                        {
                          "arch" : "x86_64",
                          "content_set" : "f26-rpms",
                          "guarded" : false,
                          "id" : "ed-x86_64",
                          "product_versions" : [
                            "26"
                          ],
                          "sigkeys" : [
                            "0b3e5524"
                          ],
                          "url" : "https://pulp/content/f26-rpms/x86_64/os/"
                        }
                      ],
                      "request" : {
                        "flags" : [
                          "ignore_absent_pulp_repos",
                          "use_only_compatible_arch"
                        ],
                        "source" : [
                          "f26-rpms",
                          "nothing"
                        ]
                      },
                      "version" : 1
                    }

                    """)
        }
    }

    private struct ProgramFailed: Error {
        let text: String
    }

    /// A directory that is removed at the end.
    private static func withDirectory(_ body: (FilePath) async throws -> Void) async throws {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-pulp-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(directory)) } catch { outcome = .failure(error) }
        try FileManager.default.removeItem(atPath: directory.string)
        try outcome.get()
    }

    /// What a program prints, errors last.
    private static func run(_ program: String, _ arguments: [String]) async throws -> String {
        let result = try await Subprocess.run(
            .name(program), arguments: Arguments(arguments), output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw ProgramFailed(text: result.standardOutput + result.standardError)
        }
        return result.standardOutput + result.standardError
    }
}
