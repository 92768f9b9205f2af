import Foundation
import Repodata
import SystemPackage

@testable import ContentSources

/// A compose as Pungi leaves it, of packages of tests-repo: repositories made by createrepo_c, documents in productmd's formats.
///
/// ```
/// STATUS
/// compose/Server/x86_64/os, compose/Server/x86_64/debug/tree, compose/Server/source/tree
/// compose/metadata/rpms.json, composeinfo.json
/// ```
struct TestCompose {
    /// The packages of one repository, by the names of their files.
    typealias Files = [String]

    let directory: FilePath
    var variant = "Server"
    private(set) var listed: [String: [String: Any]] = [:]

    var server: FilePath { directory.appending("compose").appending(variant) }
    var metadata: FilePath { directory.appending("compose/metadata") }
    var list: FilePath { metadata.appending("rpms.json") }

    private static let packages = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        .appending("tests-repo/Packages")

    /// Makes it in the new directory `directory`, with `packages` for each architecture; what is not of an architecture, a source package for example,
    /// goes where it belongs. The list names what the repositories have, and `alsoListed`.
    init(
        _ directory: FilePath, _ packages: [String: Files], alsoListed: [String: Files] = [:], unlisted: Set<String> = [],
        status: String? = "FINISHED", layout: [String: String]? = nil, hasDebug: Bool = true
    ) async throws {
        self.directory = directory
        try metadata.createDirectory()
        if let status { try directory.appending("STATUS").write(status + "\n") }
        var source: Set<String> = []
        for (arch, files) in packages {
            source.formUnion(files.filter { $0.hasSuffix(".src.rpm") })
            let os = layout.map { directory.appending("compose").appending($0["repository"] ?? "") } ?? server.appending("\(arch)/os")
            try await Self.repository(os, files.filter { !Self.isDebug($0) && !$0.hasSuffix(".src.rpm") })
            if hasDebug { try await Self.repository(server.appending("\(arch)/debug/tree"), files.filter(Self.isDebug)) }
        }
        try await Self.repository(server.appending("source/tree"), source.sorted())
        for (arch, files) in packages.merging(alsoListed, uniquingKeysWith: +) {
            for file in files where !unlisted.contains(file) { list(file, arch: arch) }
        }
        try writeList()
        if let layout {
            try metadata.appending("composeinfo.json").write(
                """
                {"header": {"type": "productmd.composeinfo", "version": "1.2"}, "payload": {"variants": {"\(variant)": {"paths":
                {"repository": {"x86_64": "\(layout["repository"] ?? "")"}}}}}}
                """)
        }
    }

    private static func isDebug(_ file: String) -> Bool { NEVRA(file)?.isDebug == true }

    private static func repository(_ directory: FilePath, _ files: Files) async throws {
        let packages = directory.appending("Packages")
        try packages.createDirectory()
        for file in files {
            try FileManager.default.copyItem(atPath: Self.packages.appending(file).string, toPath: packages.appending(file).string)
        }
        try await create(directory)
    }

    /// Makes a repository's metadata anew.
    static func create(_ directory: FilePath, revision: String = "1") async throws {
        try await execute("createrepo_c", ["--quiet", "--no-database", "--revision", revision, directory.string])
    }

    private mutating func list(_ file: String, arch: String) {
        guard let nevra = NEVRA(file) else { return }
        let key = "\(nevra.name)-\(nevra.epoch):\(nevra.version)-\(nevra.release).\(nevra.arch)"
        let category = nevra.isSource ? "source" : nevra.isDebug ? "debug" : "binary"
        var all = listed[arch] as? [String: [String: [String: Any]]] ?? [:]
        // One source package stands for all: nothing here asks which.
        all["\(nevra.name)-0:1-1.src", default: [:]][key] = ["path": "Server/\(file)", "sigkey": NSNull(), "category": category]
        listed[arch] = all
    }

    private func writeList() throws {
        let document: [String: Any] = [
            "header": ["type": "productmd.rpms", "version": "1.2"],
            "payload": ["compose": ["id": "Test-1-20261121.t.0"], "rpms": [variant: listed, "Empty": [String: Any]()]],
        ]
        try Data(JSONSerialization.data(withJSONObject: document, options: .sortedKeys)).write(to: URL(filePath: list.string))
    }
}
