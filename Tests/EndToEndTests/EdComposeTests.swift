import ComposeModel
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// What lies on disk after the README's first command: a compose of `ed`.
@Suite(.sharedService, .timeLimit(.minutes(5))) struct EdComposeTests {
    @Test("the tree has these files and no others")
    func files() async throws {
        let compose = try await SharedService.compose("ed")
        let id = compose.document.id
        let repositories = "compose/Temporary"
        func repodata(_ tree: String) -> [String] {
            ["*-filelists.xml.gz", "*-other.xml.gz", "*-primary.xml.gz", "repomd.xml"].map { "\(repositories)/\(tree)/repodata/\($0)" }
        }
        let files = try compose.files().map { $0.replacing(/[0-9a-f]{64}-/, with: "*-") }
        #expect(
            files.sorted()
                == ([
                    "COMPOSE_ID", "STATUS", "pungi-stderr.log", "compose.lock.json",
                    "compose/metadata/composeinfo.json", "compose/metadata/rpms.json", "compose/metadata/images.json",
                    "compose/metadata/modules.json",
                    "\(repositories)/odcs-\(id).repo",
                    "\(repositories)/x86_64/os/Packages/e/ed-1.20-3.x86_64.rpm",
                    "\(repositories)/x86_64/os/Packages/l/libed-1.1-2.x86_64.rpm",
                    "\(repositories)/x86_64/os/Packages/l/libed-data-1.1-2.noarch.rpm",
                    "\(repositories)/x86_64/debug/tree/Packages/e/ed-debuginfo-1.20-3.x86_64.rpm",
                    "\(repositories)/x86_64/debug/tree/Packages/e/ed-debugsource-1.20-3.x86_64.rpm",
                    "\(repositories)/x86_64/debug/tree/Packages/l/libed-debuginfo-1.1-2.x86_64.rpm",
                    "\(repositories)/x86_64/debug/tree/Packages/l/libed-debugsource-1.1-2.x86_64.rpm",
                    "\(repositories)/source/tree/Packages/e/ed-1.20-3.src.rpm",
                    "\(repositories)/source/tree/Packages/l/libed-1.1-2.src.rpm",
                ] + ["x86_64/os", "x86_64/debug/tree", "source/tree"].flatMap(repodata)).sorted())
    }

    @Test("state_reason says how many packages there are, and what nothing provides")
    func reason() async throws {
        let compose = try await SharedService.compose("ed")
        #expect(compose.state == "done")
        #expect(compose.document.stateReason == "Done: 9 packages.\nNothing provides /bin/sh, which ed-1.20-3.x86_64 requires.")
        #expect(compose.document.failure == nil)
    }

    @Test("the .repo file is plain INI with a section for packages, one for debuginfo and one for sources")
    func repoFile() async throws {
        let compose = try await SharedService.compose("ed")
        let id = compose.document.id
        let path = "compose/Temporary/odcs-\(id).repo"
        let sections: [String: [String: String]] = try await PythonScript.readRepoFile.run(compose.directory.appending(path).string)
        func section(_ title: String, _ tree: String, enabled: String) -> [String: String] {
            [
                "name": "ODCS compose \(id)\(title)", "baseurl": "\(compose.document.resultRepo)/\(tree)", "enabled": enabled,
                "enabled_metadata": "1", "skip_if_unavailable": "False", "gpgcheck": "0", "repo_gpgcheck": "0",
            ]
        }
        #expect(
            sections == [
                "odcs-\(id)": section("", "$basearch/os", enabled: "1"),
                "odcs-\(id)-debuginfo": section(" - debuginfo", "$basearch/debug/tree", enabled: "0"),
                "odcs-\(id)-source": section(" - source", "source/tree", enabled: "0"),
            ])
        let server = try SharedService.current.server
        #expect(try await server.http(.GET, compose.document.resultRepofile).body == compose.data(path))
    }

    @Test("COMPOSE_ID, STATUS and the second name of the directory are as Pungi would have them")
    func identity() async throws {
        let compose = try await SharedService.compose("ed")
        let id = compose.document.id
        let day = compose.document.timeSubmitted.prefix(10).replacing("-", with: "")
        #expect(try compose.text("COMPOSE_ID") == "odcs-\(id)-1-\(day).t.0\n")
        #expect(try compose.text("STATUS") == "FINISHED\n")
        let latest = compose.directory.removingLastComponent().appending("latest-odcs-\(id)-1")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: latest.string) == "odcs-\(id)")
    }

    @Test("the log has a line for each event, with its time and level, and can be read by its address")
    func log() async throws {
        let compose = try await SharedService.compose("ed")
        let server = try SharedService.current.server
        let log = try await server.http(.GET, "\(compose.document.toplevelURL)/pungi-stderr.log")
        #expect(log.text == (try compose.text("pungi-stderr.log")))
        let lines = log.text.split(separator: "\n")
        for line in lines { #expect(try /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (INFO |WARN |ERROR) \S.*/.wholeMatch(in: line) != nil) }
        let events = lines.map { String($0.split(separator: " ", maxSplits: 1)[1]) }
        #expect(events.contains("WARN  Nothing provides /bin/sh, which ed-1.20-3.x86_64 requires."))
        #expect(events.contains("INFO  Resolved: 3 packages, 2 source packages."))
        #expect(events.last == "INFO  Done.")
    }

    @Test("compose.lock.json pins the source, and says of each package what it is and why it is there")
    func lock() async throws {
        let compose = try await SharedService.compose("ed")
        let lock = try compose.lock
        #expect(lock.request == .init(packages: ["ed"], arches: ["x86_64"], flags: ["no_reuse"]))
        let repomd = "sha256:\(try await checksum(of: Checkout.testsRepo.appending("repodata/repomd.xml")))"
        #expect(lock.sources == [.init(location: Checkout.testsRepo.string, repomd: repomd, lookaside: false)])
        #expect(
            lock.why == [
                "ed-1.20-3.x86_64": "requested by ed",
                "libed-1.1-2.x86_64": "required by ed-1.20-3.x86_64 (libed.so.1()(64bit))",
                "libed-data-1.1-2.noarch": "required by libed-1.1-2.x86_64 (libed-data = 1.1-2)",
                "ed-debuginfo-1.20-3.x86_64": "debugging information of ed-1.20-3.x86_64",
                "ed-debugsource-1.20-3.x86_64": "debugging information of ed-1.20-3.x86_64",
                "libed-debuginfo-1.1-2.x86_64": "debugging information of libed-1.1-2.x86_64",
                "libed-debugsource-1.1-2.x86_64": "debugging information of libed-1.1-2.x86_64",
                "ed-1.20-3.src": "source of ed-1.20-3.x86_64",
                "libed-1.1-2.src": "source of libed-1.1-2.x86_64",
            ])
        for package in lock.packages {
            let file = compose.directory.appending("compose/Temporary").appending(package.path)
            #expect(package.checksum == "sha256:\(try await checksum(of: file))")
            #expect(package.size == (try Data(contentsOf: URL(filePath: file.string)).count))
            #expect(package.repomd == repomd)
            #expect(package.location == "Packages/\(file.lastComponent!)")
        }
        let reasons = Dictionary(uniqueKeysWithValues: lock.packages.map { ($0.nevra, $0.reason) })
        #expect(reasons["ed-1.20-3.x86_64"]?.requested?.by == "ed")
        #expect(reasons["libed-1.1-2.x86_64"]?.requiredBy?.package.name == "ed")
        #expect(reasons["libed-1.1-2.x86_64"]?.requiredBy?.requirement == "libed.so.1()(64bit)")
        #expect(reasons["ed-debuginfo-1.20-3.x86_64"]?.debugOf?.package.name == "ed")
        #expect(reasons["ed-1.20-3.src"]?.sourceOf?.package.name == "ed")
        #expect(lock.missing.map(\.requirement) == ["/bin/sh"])
    }

    @Test("packages are hard links of the source's files where both are on one file system")
    func hardLinks() async throws {
        let shared = try SharedService.current
        let source = shared.sources.appending("repo")
        try FileManager.default.copyItem(atPath: Checkout.testsRepo.string, toPath: source.string)
        let compose = try await shared.compose(from: source.string, ["ed"])
        let packages = try compose.files().filter { $0.hasSuffix(".rpm") }
        #expect(packages.count == 9)
        for package in packages {
            let original = source.appending("Packages").appending(FilePath(package).lastComponent!)
            #expect(try inode(compose.directory.appending(package)) == inode(original))
        }
    }

    private func inode(_ path: FilePath) throws -> UInt64? {
        try FileManager.default.attributesOfItem(atPath: path.string)[.systemFileNumber] as? UInt64
    }

    private func checksum(of file: FilePath) async throws -> String {
        String(try await Program.succeed("sha256sum", file.string).output.prefix(64))
    }
}
