public import ImageModel
public import SystemPackage

/// Finds the rpm database of an image in its layers and copies its files.
///
/// It reads the layers from the top down, and stops at the first one that has the main file of a
/// database. So it usually reads one small layer. The database that was written last is the one that
/// the image uses. Whiteouts and opaque directories of upper layers hide the files of lower ones.
///
/// SQLite's `-wal` file counts only if it is in the layer of the main file or above. A program that
/// changes the database writes or removes this file too.
public struct RPMDatabaseFinder: Sendable {
    private let directory: FilePath
    private let limits: LayerLimits
    private let mostBytes: Int
    private let verifiesDigests: Bool

    /// Creates a finder that copies the files below `directory`, which must exist and be empty.
    /// - Parameters:
    ///   - mostBytes: the most bytes that are copied.
    ///   - verifiesDigests: false if the source of the bytes verifies the digests of the layers.
    public init(
        into directory: FilePath, limits: LayerLimits = LayerLimits(), mostBytes: Int = 256 << 20, verifiesDigests: Bool = true
    ) {
        self.directory = directory
        self.limits = limits
        self.mostBytes = mostBytes
        self.verifiesDigests = verifiesDigests
    }

    /// Searches the layers of an image.
    ///
    /// - Parameters:
    ///   - layers: the layers as the manifest lists them, from the bottom to the top. A layer without
    ///     effect can be left out.
    ///   - isWithoutEffect: is called with each layer that has nothing of an rpm database and hides nothing
    ///     of one. The search in another image can leave the layer out.
    ///   - push: pushes all compressed bytes of a layer into the search. It is called for a layer a second
    ///     time if a file of the database is a hard link to another file.
    /// - Throws: ``ImageArchiveError`` if a layer cannot be read, and every error of `push`.
    public func find(
        in layers: [Descriptor], isWithoutEffect: (Descriptor) -> Void = { _ in },
        pushing push: (Descriptor, RPMDatabaseLayer) async throws -> Void
    ) async throws -> RPMDatabaseSearch {
        var shadow = LayerShadow()
        var copied: Set<String> = []
        var used = 0
        var unknownPlace: String?
        for (number, layer) in layers.enumerated().reversed() {
            let scan = RPMDatabaseScan(into: directory, below: shadow, limit: mostBytes, used: used)
            try await read(layer, scan, push)
            used = scan.used
            copied.formUnion(scan.copied)
            unknownPlace = unknownPlace ?? scan.unknownPlace
            if !scan.hardLinks.isEmpty {
                let second = RPMDatabaseScan(into: directory, below: shadow, limit: mostBytes, used: used, links: scan.hardLinks)
                try await read(layer, second, push)
                used = second.used
                copied.formUnion(second.copied)
                if let missing = scan.hardLinks.values.joined().first(where: { !second.copied.contains($0) }) {
                    return .unknown("\(missing) is a hard link to a file of another layer.")
                }
            }
            if let database = database(among: copied, layer: number) { return .found(database) }
            if scan.isWithoutEffect { isWithoutEffect(layer) }
            shadow.formUnion(scan.shadow)
            // No database below can be seen any more.
            if RPMDatabaseScan.mainFiles.allSatisfy(shadow.hides) { break }
        }
        return unknownPlace.map { .unknown($0) } ?? .none
    }

    /// Searches the layers of an image. `open` returns the compressed bytes of a layer.
    public func find<Chunks: AsyncSequence>(
        in layers: [Descriptor], open: (Descriptor) async throws -> Chunks
    ) async throws -> RPMDatabaseSearch where Chunks.Element == [UInt8] {
        try await find(in: layers) { layer, search in
            for try await chunk in try await open(layer) { try chunk.withUnsafeBytes { try search.read($0) } }
        }
    }

    private func read(
        _ layer: Descriptor, _ scan: RPMDatabaseScan, _ push: (Descriptor, RPMDatabaseLayer) async throws -> Void
    ) async throws {
        let search = try RPMDatabaseLayer(layer, limits: limits, scan, verifiesDigest: verifiesDigests)
        try await push(layer, search)
        try search.finish()
    }

    private func database(among copied: Set<String>, layer: Int) -> RPMDatabase? {
        for place in RPMDatabase.places {
            for format in RPMDatabase.Format.allCases where copied.contains(place + "/" + format.mainFile) {
                let directory = RPMDatabaseScan.local(place + "/" + format.mainFile, in: directory).removingLastComponent()
                return RPMDatabase(format: format, directory: directory, place: place, layer: layer)
            }
        }
        return nil
    }
}
