import Compression
import Glibc
import ImageModel
public import SystemPackage

/// One pass through an archive file. It keeps some small files and computes the digests of others.
final class ArchiveScan: TarVisitor {
    /// The treatment of a file in the archive.
    enum Treatment { case skip, keep, digest(ImageDigest.Algorithm) }

    /// The most bytes of a file that is kept.
    private static let mostKeptBytes = ManifestDocument.mostBytes

    private let treat: (String) -> Treatment
    private let isComplete: (ArchiveScan) -> Bool
    private(set) var kept: [String: [UInt8]] = [:]
    private(set) var digests: [String: ImageDigest] = [:]
    private var isDone = false
    private var current: (name: String, treatment: Treatment, bytes: [UInt8], digest: RunningDigest)?

    /// Scans the archive. Stops early when `isComplete` returns true after a file.
    init(
        _ path: FilePath, limits: LayerLimits, until isComplete: @escaping (ArchiveScan) -> Bool = { _ in false },
        treating treat: @escaping (String) -> Treatment
    ) throws(ImageArchiveError) {
        self.treat = treat
        self.isComplete = isComplete
        var tar = TarReader(limits: limits.tar)
        try ArchiveContent.read(path, limits: limits) { (plain) throws(ImageArchiveError) in
            try tar.read(plain, self)
            return !isDone
        }
        if !isDone { try tar.finish() }
    }

    func begin(_ entry: TarEntry) throws(ImageArchiveError) {
        guard entry.kind == .file else { return }
        // Some programs write ./ before each name.
        let path = entry.path.starts(with: "./".utf8) ? entry.path.dropFirst(2) : entry.path[...]
        let name = String(decoding: path, as: UTF8.self)
        let treatment = treat(name)
        if case .keep = treatment, entry.size > Self.mostKeptBytes {
            throw ImageArchiveError(.tooLarge, "\(entry.shownPath) in the archive has more than \(Self.mostKeptBytes) bytes.")
        }
        let algorithm: ImageDigest.Algorithm = if case .digest(let algorithm) = treatment { algorithm } else { .sha256 }
        current = (name, treatment, [], RunningDigest(algorithm))
    }

    func content(_ bytes: UnsafeRawBufferPointer) {
        switch current?.treatment {
        case .keep: current?.bytes.append(contentsOf: bytes)
        case .digest: current?.digest.update(bytes)
        case .skip, nil: break
        }
    }

    func endEntry() {
        switch current?.treatment {
        case .keep: if let current { kept[current.name] = current.bytes }
        case .digest: if let current { digests[current.name] = current.digest.digest }
        case .skip, nil: break
        }
        current = nil
        isDone = isDone || isComplete(self)
    }
}

/// Reads the plain bytes of an archive file that may be compressed.
public enum ArchiveContent {
    /// Calls `body` with each piece, until it returns false or the file ends.
    public static func read(
        _ path: FilePath, limits: LayerLimits = LayerLimits(), _ body: (UnsafeRawBufferPointer) throws(ImageArchiveError) -> Bool
    ) throws(ImageArchiveError) {
        let name = path.lastComponent?.string ?? "archive"
        let file = try ImageArchiveError.io(name) { try FileDescriptor.open(path, .readOnly, options: .closeOnExec) }
        defer { Glibc.close(file.rawValue) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FileContent.pieceSize, alignment: 16)
        defer { buffer.deallocate() }
        let decompressor = Decompressor(named: name)
        var goesOn = true
        func take(_ plain: UnsafeRawBufferPointer) throws(ImageArchiveError) {
            guard goesOn else { return }
            guard decompressor.plainCount <= limits.plainBytes else {
                throw ImageArchiveError(
                    .tooLarge, "\(name) has more than \(limits.plainBytes) bytes when uncompressed, the most that is accepted.")
            }
            goesOn = try body(plain)
        }
        while goesOn {
            let count = try ImageArchiveError.io(name) { try file.read(into: buffer) }
            if count == 0 { return try decompressor.finish(take) }
            try decompressor.read(UnsafeRawBufferPointer(rebasing: buffer[..<count]), take)
        }
    }
}
