import Depsolve
import Foundation
import Repodata
import Testing

@Suite("Metadata that is not what it should be")
struct HostileMetadataTests {
    /// Resolves `packages` from a repository whose document is `text`.
    private func resolve(
        primary: String? = nil, filelists: String? = nil, packages: [String] = ["script"]
    ) async throws -> Resolution {
        try await withTemporaryDirectory { directory in
            var request = try World.named("file-in-filelists").request(below: directory)
            request.packages = packages
            for (name, text) in [("primary.xml", primary), ("filelists.xml", filelists)] {
                guard let text else { continue }
                try Data(text.utf8).write(to: directory.appending(path: "world/repodata/\(name)"))
            }
            return try await Depsolver().resolve(request)
        }
    }

    private func document(_ packages: String) -> String {
        "<metadata xmlns=\"http://linux.duke.edu/metadata/common\" xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\(packages)</metadata>"
    }

    private func package(
        name: String = "<name>script</name>",
        checksum: String = "<checksum type=\"sha256\">\(String(repeating: "a", count: 64))</checksum>",
        location: String = "<location href=\"script.rpm\"/>", dependencies: String = ""
    ) -> String {
        """
        <package type="rpm">\(name)<arch>noarch</arch><version epoch="0" ver="1" rel="1"/>\(checksum)\(location)
        <format>\(dependencies)</format></package>
        """
    }

    private func requires(_ name: String) -> String { "<rpm:requires><rpm:entry name=\"\(name)\"/></rpm:requires>" }

    /// The document and the reason of the error that `body` must end with.
    private func refusal(_ body: () async throws -> Resolution) async throws -> (document: String, reason: String) {
        let error = await #expect(throws: DepsolveError.self) { try await body() }
        guard case .unusableMetadata(_, let document, let reason) = error else {
            Issue.record("\(String(describing: error)) is another error")
            return ("", "")
        }
        return (document, reason)
    }

    @Test(
        "a document that is no rpm-md is named with what is wrong",
        arguments: [
            ("", "it is empty"),
            ("<html><body>Not here</body></html>", "it has no metadata element, so it is not rpm-md"),
            ("<metadata><package>", "no element found at line 1:19"),
            ("<metadata>\n<package></metadata>", "mismatched tag at line 2:11"),
        ])
    func malformed(_ text: String, _ expected: String) async throws {
        let refusal = try await refusal { try await resolve(primary: text) }
        #expect(refusal == ("primary.xml", expected))
    }

    @Test(
        "a broken filelists.xml is named, too",
        arguments: [
            ("<filelists><package>", "it has no end of a filelists element, so it is not complete rpm-md"),
            (
                "<filelists><package pkgid=\"12\"><file>/usr/share/dict/words",
                "it has no end of a filelists element, so it is not complete rpm-md"
            ),
        ])
    func malformedFilelists(_ text: String, _ expected: String) async throws {
        let refusal = try await refusal { try await resolve(filelists: text) }
        #expect(refusal == ("filelists.xml", expected))
    }

    /// Names that lead elsewhere, and names that no file can have.
    private static let hostileNames = [
        "../x", "/etc/x", "x/../../y", "..", ".", ".hidden", "a/b", "x&#10;y", "x&#127;y", "\u{301}/\u{301}",
        String(repeating: "x", count: 300),
    ]

    @Test("a package is left out if its name, version, release or architecture would lead its file elsewhere", arguments: hostileNames)
    func unnameable(_ hostile: String) async throws {
        let plain = package(
            name: "<name>plain</name>", checksum: "<checksum type=\"sha256\">\(String(repeating: "b", count: 64))</checksum>")
        for field in ["name", "ver", "rel", "arch"] {
            func value(_ other: String, _ usual: String) -> String { field == other ? hostile : usual }
            let bad = """
                <package type="rpm"><name>\(value("name", "bad"))</name><arch>\(value("arch", "noarch"))</arch>
                <version epoch="0" ver="\(value("ver", "1"))" rel="\(value("rel", "1"))"/>
                <checksum type="sha256">\(String(repeating: "a", count: 64))</checksum><location href="bad.rpm"/><format/></package>
                """
            let resolution = try await resolve(primary: document(bad + plain), packages: [])
            let packages = resolution.trees.flatMap(\.binaries).map(\.record.nevra)
            #expect(packages.contains { $0.name == "plain" })
            for package in packages { #expect(throws: Never.self) { try package.filename } }
            // Dots alone lead nowhere inside of a file's name.
            if ![".", "..", ".hidden"].contains(hostile) {
                #expect(resolution.unnameable.count == 1, "\(field)")
                #expect(
                    resolution.unnameable.allSatisfy { $0.description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } })
            }
        }
    }

    @Test("a package that is asked for and left out is absent, with the reason")
    func requestedUnnameable() async throws {
        let bad = package().replacing("ver=\"1\"", with: "ver=\"1/../../x\"")
        let resolution = try await resolve(primary: document(bad), packages: ["script"])
        #expect(
            resolution.absent.map(\.description) == [
                "script is not there for x86_64; the package \"script-1/../../x-1.noarch\" is left out, because the name of its file has a slash, so no file can have that name"
            ])
        #expect(resolution.absent.first?.isNowhere == true)
    }

    @Test("cut off anywhere, a document is refused")
    func truncated() async throws {
        try await withTemporaryDirectory { directory in
            let request = try World.named("file-in-filelists").request(below: directory)
            let file = directory.appending(path: "world/repodata/primary.xml")
            let whole = try Data(contentsOf: file)
            for length in stride(from: 0, to: whole.count - 12, by: 13) {
                try whole.prefix(length).write(to: file)
                let refusal = try await refusal { try await Depsolver().resolve(request) }
                #expect(refusal.document == "primary.xml")
            }
        }
    }

    @Test("with any byte changed, a document is refused or taken for what it says")
    func changedBytes() async throws {
        try await withTemporaryDirectory { directory in
            var request = try World.named("rich-if").request(below: directory)
            request.packages = []
            let file = directory.appending(path: "world/repodata/primary.xml")
            let whole = try Data(contentsOf: file)
            for position in stride(from: 100, to: whole.count, by: 17) {
                var changed = whole
                changed[position] ^= 0x1F
                try changed.write(to: file)
                do {
                    let resolution = try await Depsolver().resolve(request)
                    #expect(resolution.trees.count == 1)
                    try FileManager.default.removeItem(at: directory.appending(path: "world/repodata/pool.solv"))
                } catch let error as DepsolveError {
                    guard case .unusableMetadata(_, "primary.xml", _) = error else { throw error }
                }
            }
        }
    }

    @Test("a package without what makes it one costs itself alone")
    func incomplete() async throws {
        let whole = package()
        for part in [package(name: ""), package(name: "<name/>"), package(checksum: ""), package(location: "")] {
            let resolution = try await resolve(primary: document(part.replacing("aaaa", with: "bbbb") + whole))
            #expect(resolution.trees[0].binaries.map(\.record.nevra.name) == ["script"])
            #expect(resolution.unusable.map(\.count) == [1])
        }
        let short = package(checksum: "<checksum type=\"sha256\">abc</checksum>")
        #expect(try await refusal { try await resolve(primary: document(short)) }.reason == "line 1: invalid sha256 checksum")
    }

    @Test("a dependency of absurd length is refused")
    func longDependency() async throws {
        let refusal = try await refusal {
            try await resolve(primary: document(package(dependencies: requires(String(repeating: "(", count: 1_000_000)))))
        }
        #expect(refusal.reason == "a dependency in it is longer than 16384 bytes")
    }

    @Test("a package whose name has no end costs itself alone, whatever its characters are")
    func endlessName() async throws {
        let marks = String(repeating: "\u{301}\u{323}", count: 100_000)
        let endless = ["a", "b"].map { package(name: "<name>x\(marks)\($0)</name>") }.joined()
        let resolution = try await resolve(primary: document(endless + package()), packages: [])
        #expect(resolution.trees[0].binaries.map(\.record.nevra.name) == ["script"])
    }

    @Test("deep and long rich dependencies within the limit are solved")
    func deepDependencies() async throws {
        let deep = String(repeating: "(", count: 4_000) + "a or b" + String(repeating: " or c)", count: 2_000)
        #expect(try await resolve(primary: document(package(dependencies: requires(deep)))).missing.isEmpty)
        let nested = String(repeating: "(a and ", count: 1_500) + "b" + String(repeating: ")", count: 1_500)
        #expect(try await resolve(primary: document(package(dependencies: requires(nested)))).missing.count == 1)
        let chain = "(" + (0..<1_500).map { "a\($0)" }.joined(separator: " or ") + ")"
        #expect(try await resolve(primary: document(package(dependencies: requires(chain)))).missing.count == 1)
    }

    @Test("a rich dependency that would multiply out to billions of clauses is refused")
    func explosiveDependency() async throws {
        let factor = (0..<40).map { "(a\($0) and b\($0))" }.joined(separator: " or ")
        let refusal = try await refusal { try await resolve(primary: document(package(dependencies: requires("(\(factor))")))) }
        #expect(refusal.reason.hasPrefix("a rich dependency of script-1-1.noarch is too complex: ((a0 and b0) or (a1 and b1)"))
    }

    @Test(
        "odd dependencies are taken for what they say",
        arguments: [
            "", " ", "(", ")", "()", "((", "(a", "(a or)", "(a or b and c)", "(a if b else)", "a b c", "&lt;", "/", "//", "rpmlib(",
            "\u{1F4E6}", "a&#10;b", String(repeating: "x", count: 16_000),
        ])
    func oddDependencies(_ name: String) async throws {
        let resolution = try await resolve(primary: document(package(dependencies: requires(name))))
        #expect(resolution.trees[0].binaries.map(\.record.nevra.name) == ["script"])
    }

    @Test("odd epochs, versions and sizes do not stop anything")
    func oddVersions() async throws {
        let odd = """
            <package type="rpm"><name>script</name><arch>noarch</arch><version epoch="99999999999999999999" ver="1:-" rel="-:2"/>
            <checksum type="sha256">\(String(repeating: "b", count: 64))</checksum><size package="99999999999999999999"/>
            <location href="../../etc/passwd"/><format><rpm:sourcerpm>not a source package</rpm:sourcerpm></format></package>
            """
        let resolution = try await resolve(primary: document(odd), packages: [])
        #expect(resolution.trees[0].binaries.map(\.record.nevra.name) == ["script"])
    }
}
