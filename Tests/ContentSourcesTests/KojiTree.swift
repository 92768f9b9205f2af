import Foundation
import Repodata
import Subprocess
import SystemPackage
import Testing

@testable import ContentSources

/// The package tree of a real hub (`Tests/ScriptedHub/topdir`), copied where a test may read and change it, and its packages as a hub lists them.
struct KojiTree: Sendable {
    let topdir: FilePath
    let packages: [KojiPackage]

    static let original = FilePath(#filePath).removingLastComponent().removingLastComponent().appending("ScriptedHub/topdir")

    /// Copies the tree to the new directory `topdir`.
    init(_ topdir: FilePath) async throws {
        self.topdir = topdir
        try FileManager.default.copyItem(atPath: Self.original.string, toPath: topdir.string)
        packages = try await Self.listed.value
    }

    /// The package whose file has this name.
    func package(_ nvra: String) throws -> KojiPackage {
        try #require(packages.first { "\($0.nevra.nvr).\($0.nevra.arch)" == nvra })
    }

    func file(_ package: KojiPackage, key: String = "") -> FilePath { topdir.appending(package.path(signedBy: key) ?? "none") }

    private static let listed = Task { try await list() }

    /// By rpm and the names of directories, so that the code under test has no part in it.
    private static func list() async throws -> [KojiPackage] {
        let script = """
            cd "$1" && find -L packages -name '*.rpm' -not -path '*/data/signed/*' | sort | while read -r file; do
                rpm -qp --nosignature --nodigest --qf "%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\t%{SIGMD5}\\t%{LONGSIZE}\\t$file\\t" "$file"
                (cd "${file%/*/*}/data/signed" 2>/dev/null && ls -d */"$(basename "${file%/*}")/$(basename "$file")" 2>/dev/null | cut -d/ -f1 | tr '\\n' ' ')
                echo
            done
            """
        let result = try await Subprocess.run(
            .name("sh"), arguments: ["-c", script, "sh", original.string], output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        return try result.standardOutput.split(separator: "\n").enumerated().map { number, line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            let names = fields[6].split(separator: "/").map(String.init)
            return try KojiPackage(
                id: number,
                nevra: NEVRA(name: fields[0], epoch: Int(fields[1]) ?? 0, version: fields[2], release: fields[3], arch: names[4]),
                build: "\(names[1])-\(names[2])-\(names[3])", place: try .build(name: names[1], version: names[2], release: names[3]),
                payloadHash: fields[4], size: Int(try original.appending(fields[6]).stat().size),
                keys: fields[7].split(separator: " ").map(String.init))
        }
    }
}

extension Workbench {
    func koji(
        _ location: RepositoryLocation, prefixes: [String] = [], limits: SourceLimits = Workbench.limits, cache: String = "cache",
        headers: String = "headers"
    ) throws -> KojiPackageSource {
        KojiPackageSource(
            location: location, access: try access(prefixes), limits: limits, cacheDirectory: directory.appending(cache),
            headerDirectory: directory.appending(headers), httpClient: client, threadPool: threadPool, logger: Self.logger)
    }
}
