import AsyncHTTPClient
import ComposeModel
import Foundation
import NIOHTTP1
import ScriptedHub
import SystemPackage
import Testing

/// Composes that refer to Koji's files instead of having them.
@Suite(.timeLimit(.minutes(5))) struct KojiReferenceTests {
    private static let ed = "\"type\": \"tag\", \"source\": \"f26-updates\", \"packages\": [\"ed\"], \"koji_event\": 100"
    private static let reference = "\"delivery\": \"reference\""
    private static let allowed = "allow_reference: true"

    /// Where the metadata of a repository of the compose says that its packages lie.
    private func locations(_ compose: FinishedCompose, _ tree: String) async throws -> [String] {
        let repodata = compose.repository(tree).appending("repodata")
        let primary = try #require(try FinishedCompose.files(below: repodata).first { $0.hasSuffix("-primary.xml.gz") })
        let text = try await Program.succeed("gzip", "-dc", repodata.appending(primary).string).output
        return text.matches(of: /<location href="([^"]*)" xml:base="([^"]*)"\/>/).map { "\($0.2)\($0.1)" }.sorted()
    }

    @Test(
        "dnf installs from a compose of either delivery; one that refers has no files, wherever the service reads them",
        ReaderTests.mayInstall, arguments: [(Delivery.link, KojiService.Files.topdir), (.reference, .both), (.reference, .topurl)])
    func installs(delivery: Delivery, files: KojiService.Files) async throws {
        try await KojiService.with(files, settings: files == .topdir ? "" : Self.allowed) { koji in
            let compose = try await koji.end(of: try await koji.submit(Self.ed, "\"delivery\": \"\(delivery.rawValue)\""))
            #expect(compose.state == "done", "\(compose.reason)")
            #expect(compose.document.delivery == delivery.rawValue)
            #expect(compose.reason.first == "Done: 4 packages\(delivery == .link ? "" : " by reference").")
            #expect(try compose.files().filter { $0.hasSuffix(".rpm") }.count == (delivery == .link ? 4 : 0))
            let zypper = compose.reason.contains { $0.hasPrefix("zypper cannot install from this compose") }
            #expect(zypper == (delivery == .reference), "\(compose.reason)")
            let repoFile = try compose.text("compose/Temporary/odcs-\(compose.document.id).repo")
            #expect(repoFile.contains("# dnf reads these. zypper does not") == (delivery == .reference))
            koji.hub.forget()
            try await Dnf.with { dnf in
                try await dnf.add(compose, by: koji.server)
                let install = try await dnf.run("install", "ed")
                #expect(install.isSuccess, "\(install)")
                #expect(try await Program.succeed("rpm", "--root=\(dnf.root)", "--query", "--all").output == "ed-1.14.2-2.fc26.x86_64\n")
            }
            let fetched = koji.hub.fileRequests.map(\.path)
            #expect(fetched == (delivery == .link ? [] : ["packages/ed/1.14.2/2.fc26/x86_64/ed-1.14.2-2.fc26.x86_64.rpm"]))
        }
    }

    @Test("dnf refuses a file that is another one by then", ReaderTests.mayInstall)
    func replaced() async throws {
        try await KojiService.with(.both, settings: Self.allowed) { koji in
            let compose = try await koji.end(of: try await koji.submit(Self.ed, Self.reference))
            let path = "packages/ed/1.14.2/2.fc26/x86_64/ed-1.14.2-2.fc26.x86_64.rpm"
            let another = try Data(contentsOf: URL(filePath: ScriptedHub.topdir.appending(path).string)).map { $0 ^ 1 }
            koji.hub.behaveForFiles { $0.path == path ? .bytes(another) : .file }
            try await Dnf.with { dnf in
                try await dnf.add(compose, by: koji.server)
                let install = try await dnf.run("install", "ed")
                #expect(!install.isSuccess)
                #expect(install.complaints.localizedCaseInsensitiveContains("checksum"), "\(install)")
            }
        }
    }

    @Test("every tree of every architecture refers, to the signed copies where keys are asked for, and all documents say where")
    func documents() async throws {
        try await KojiService.with(.both, settings: Self.allowed) { koji in
            let source =
                "\"type\": \"tag\", \"source\": \"f26-updates\", \"packages\": [\"ed\"], \"koji_event\": 100, \"sigkeys\": [\"0B3E5524\", \"\"]"
            let compose = try await koji.end(
                of:
                    try await koji.submit(source, Self.reference, "\"arches\": [\"x86_64\", \"aarch64\"]"))
            #expect(compose.state == "done", "\(compose.reason)")
            let signed = "\(koji.hub.topurl)/packages/ed/1.14.2/2.fc26/data/signed/0b3e5524"
            let binary = "\(signed)/x86_64/ed-1.14.2-2.fc26.x86_64.rpm"
            let sourcePackage = "\(signed)/src/ed-1.14.2-2.fc26.src.rpm"
            #expect(try await locations(compose, "x86_64/os") == [binary])
            #expect(
                try await locations(compose, "x86_64/debug/tree")
                    == ["debuginfo", "debugsource"].map { "\(signed)/x86_64/ed-\($0)-1.14.2-2.fc26.x86_64.rpm" })
            #expect(try await locations(compose, "aarch64/os") == ["\(signed)/aarch64/ed-1.14.2-2.fc26.aarch64.rpm"])
            #expect(try await locations(compose, "source/tree") == [sourcePackage])
            try await Dnf.with { dnf in
                try await dnf.add(compose, by: koji.server)
                let seen = try await dnf.packages(in: compose.layout.directory)
                #expect(seen.packages == ["ed-1.14.2-2.fc26.x86_64"])
                #expect(seen.complaints == "")
            }
            // Where a client is told to look, there is a file with the size and checksum that it is told.
            let lock = try compose.lock
            #expect(lock.delivery == "reference")
            let entry = try #require(lock.packages.first { $0.path == binary })
            let answer = try await koji.server.http(.GET, binary)
            #expect(answer.body.count == entry.size)
            #expect(try compose.text("compose.lock.json").contains("\"path\":\"\(sourcePackage)\""))

            let metadata: ProductMetadata = try await PythonScript.readCompose.run(compose.directory.appending("compose").string)
            #expect(Set(metadata.rpms.map(\.arch)) == ["x86_64", "aarch64"])
            #expect(metadata.rpms.allSatisfy { $0.path.hasPrefix("\(signed)/") })
            #expect(metadata.rpms.contains { $0.path == binary })
            #expect(try !compose.text("compose/metadata/composeinfo.json").contains("Packages"))
            #expect(try !compose.files().contains { $0.hasSuffix(".rpm") })
        }
    }

    /// As `read_compose.py` prints it.
    private struct ProductMetadata: Decodable {
        struct RPM: Decodable {
            let arch: String
            let path: String
        }

        let rpms: [RPM]
    }

    @Test("equal requests of different deliveries are different composes; one that refers is shown again, and renewed as such")
    func reused() async throws {
        try await KojiService.with(.both, settings: Self.allowed) { koji in
            let link = try await koji.end(of: try await koji.submit(Self.ed))
            let first = try await koji.end(of: try await koji.submit(Self.ed, Self.reference))
            let second = try await koji.end(of: try await koji.submit(Self.ed, Self.reference))
            #expect(link.document.resultRepo != first.document.resultRepo)
            #expect(second.document.resultRepo == first.document.resultRepo)

            let answer = try await koji.server.http(
                .PATCH, "/api/1/composes/\(first.document.id)", body: .bytes(Array("{\"label\": \"RC-1.0\"}".utf8)))
            let renewed = try await koji.end(of: try JSONDecoder().decode(ComposeDocument.self, from: answer.body).id)
            #expect(renewed.state == "done", "\(renewed.reason)")
            #expect(renewed.document.id != first.document.id)
            #expect(renewed.document.delivery == "reference")
            #expect(try !renewed.files().contains { $0.hasSuffix(".rpm") })
        }
    }

    @Test(
        "composes are made from one that refers: its packages are taken from where they lie",
        arguments: [KojiService.Files.both, .topurl], ["pungi_compose", "repo"])
    func sourceOfOthers(files: KojiService.Files, type: String) async throws {
        try await KojiService.with(files, settings: Self.allowed) { koji in
            let referring = try await koji.end(of: try await koji.submit(Self.ed, Self.reference))
            let place = type == "repo" ? referring.url("x86_64/os") : referring.document.resultRepo
            koji.hub.forget()
            let compose = try await koji.end(of: try await koji.submit("\"type\": \"\(type)\", \"source\": \"\(place)\""))
            #expect(compose.state == "done", "\(compose.reason)")
            let path = "packages/ed/1.14.2/2.fc26/x86_64/ed-1.14.2-2.fc26.x86_64.rpm"
            #expect(
                try compose.data("compose/Temporary/x86_64/os/Packages/e/ed-1.14.2-2.fc26.x86_64.rpm")
                    == Data(contentsOf: URL(filePath: ScriptedHub.topdir.appending(path).string)))
            #expect(koji.hub.fileRequests.contains { $0.path == path } == (files == .topurl))
            let directly = try await koji.server.post("{\"source\": {\"type\": \"repo\", \"source\": \"\(koji.hub.topurl)/repos/x\"}}")
            #expect(directly.status == 400)
        }
    }

    @Test("a service whose configuration does not allow it refuses")
    func refused() async throws {
        try await KojiService.with(.both) { koji in
            let answer = try await koji.server.post("{\"source\": {\(Self.ed)}, \(Self.reference)}")
            #expect(answer.status == 400)
            #expect(
                try answer.message
                    == "delivery cannot be reference on this server: the setting koji.allow_reference is off in its configuration. "
                    + "Without it, the compose has its packages (link).")
        }
    }
}
