import ComposeModel
import ContentSources
import Depsolve
import Foundation
import HTTPEnvironment
import Logging
import NIOPosix
import Repodata
import SystemPackage
import Testing

@testable import ComposeWorker

/// From the addresses of composes to the packages of a new one.
@Suite("Composes merged into one")
struct MergedComposesTests {
    /// A compose as this service leaves it, of packages of tests-repo.
    private func compose(
        _ place: Workplace, _ name: String, _ files: [String], unlisted: Set<String> = [], alsoListed: [String] = [],
        changing changed: String? = nil
    ) async throws -> RepositoryLocation {
        let variant = "\(name)/compose/Temporary"
        var listed: [String: Any] = [:]
        for (tree, isIn) in [
            ("x86_64/os", { !$0.isSource && !$0.isDebug }), ("x86_64/debug/tree", { $0.isDebug }), ("source/tree", { $0.isSource }),
        ] as [(String, (NEVRA) -> Bool)] {
            try FileManager.default.createDirectory(
                atPath: place.directory.appending("\(variant)/\(tree)/Packages").string, withIntermediateDirectories: true)
            for file in files where NEVRA(file).map(isIn) == true {
                let target = place.directory.appending("\(variant)/\(tree)/Packages/\(file)")
                try FileManager.default.copyItem(atPath: checkout.appending("tests-repo/Packages/\(file)").string, toPath: target.string)
                // Behind its end nobody reads: it is the same package with another checksum.
                if file == changed { try await place.run("sh", ["-c", "printf x >> \"$0\"", target.string]) }
            }
            try await place.run("createrepo_c", ["--quiet", "--no-database", "--revision=1", "\(variant)/\(tree)"])
        }
        for file in files + alsoListed where !unlisted.contains(file) {
            let nevra = try #require(NEVRA(file))
            listed["\(nevra.name)-\(nevra.epoch):\(nevra.version)-\(nevra.release).\(nevra.arch)"] = ["path": file]
        }
        let document: [String: Any] = ["payload": ["rpms": ["Temporary": ["x86_64": ["all-0:1-1.src": listed]]]]]
        try place.write(
            String(decoding: JSONSerialization.data(withJSONObject: document), as: UTF8.self), to: "\(name)/compose/metadata/rpms.json")
        return .directory(place.directory.appending(variant))
    }

    private func resolve(_ place: Workplace, _ locations: [RepositoryLocation], _ packages: [String] = []) async throws -> Resolution {
        let client = OutboundClient(SourceLimits().httpClientConfiguration)
        let source = PungiComposeSource(
            repositories: RepositorySource(
                access: try SourceAccess(allowedRoots: [place.directory], allowedURLPrefixes: []),
                cacheDirectory: place.directory.appending("cache"), httpClient: client, threadPool: .singleton,
                logger: Logger(label: "test")))
        let result: Result<Resolution, any Error>
        do {
            let content = try await source.content(of: source.pin(locations, arches: ["x86_64"]), arches: ["x86_64"])
            result = .success(
                try await Depsolver().resolve(
                    DepsolveRequest(
                        repositories: content.repositories.map(\.metadata), listings: content.listings, packages: packages,
                        arches: ["x86_64"])))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        return try result.get()
    }

    private func files(_ resolution: Resolution) -> [String] {
        (resolution.trees.flatMap { $0.binaries + $0.debug } + resolution.sources).map {
            "\($0.record.nevra.nvr).\($0.record.nevra.arch).rpm"
        }
    }

    @Test("all packages of all of them are there once, with their debugging information and sources, and none that a list does not name")
    func merged() async throws {
        try await Workplace.with { place in
            let one = try await compose(
                place, "one", ["ed-1.20-3.x86_64.rpm", "ed-debuginfo-1.20-3.x86_64.rpm", "ed-1.20-3.src.rpm", "ed-doc-1.20-3.noarch.rpm"],
                unlisted: ["ed-doc-1.20-3.noarch.rpm"])
            let two = try await compose(
                place, "two", ["ed-1.20-3.x86_64.rpm", "libed-1.1-2.x86_64.rpm", "libed-data-1.1-2.noarch.rpm", "ed-1.20-3.src.rpm"])
            let everything = try await resolve(place, [one, two])
            #expect(
                files(everything) == [
                    "ed-1.20-3.x86_64.rpm", "libed-1.1-2.x86_64.rpm", "libed-data-1.1-2.noarch.rpm", "ed-debuginfo-1.20-3.x86_64.rpm",
                    "ed-1.20-3.src.rpm",
                ])
            #expect(everything.overruled == [])
            #expect(everything.missing.map(\.requirement) == ["/bin/sh"])
            // What one compose lacks for its packages, the other one has.
            #expect(files(try await resolve(place, [one, two], ["ed"])) == files(everything))
            #expect(try await resolve(place, [one]).missing.map(\.requirement).sorted() == ["/bin/sh", "libed.so.1()(64bit)"])
        }
    }

    @Test("of a package that is not the same in two composes, the first one's is taken, and that is told")
    func different() async throws {
        try await Workplace.with { place in
            let file = "ed-words-1.3-1.noarch.rpm"
            let one = try await compose(place, "one", [file])
            let two = try await compose(place, "two", [file], changing: file)
            let first = try await resolve(place, [one, two])
            let second = try await resolve(place, [two, one])
            #expect(files(first) == [file] && files(second) == [file])
            #expect(first.trees[0].binaries[0].record.pkgid != second.trees[0].binaries[0].record.pkgid)
            #expect(
                first.overruled.map(\.description) == [
                    "ed-words-1.3-1.noarch is not the same in \(one) and in \(two); that of \(one) is taken for x86_64"
                ])
        }
    }

    @Test("a package that a list names and no repository has is named")
    func listedButAbsent() async throws {
        try await Workplace.with { place in
            let one = try await compose(place, "one", ["ed-words-1.3-1.noarch.rpm"], alsoListed: ["ed-1.20-3.x86_64.rpm"])
            let error = try await #require(throws: DepsolveError.self) { try await resolve(place, [one]) }
            let failure = ComposeFailure(error, in: PackageSet(repositories: [], lookaside: []))
            #expect(failure.code == .metadataCorrupt)
            #expect(
                failure.message
                    == "\(one) lists 1 package for x86_64 that its repositories do not have: ed-1.20-3.x86_64. The maintainer of \(one) has to look into it."
            )
            #expect(failure.details == [.init(package: "ed-1.20-3.x86_64", arch: "x86_64")])
        }
    }
}
