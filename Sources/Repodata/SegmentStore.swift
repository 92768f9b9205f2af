import Foundation
import Glibc
import Synchronization
public import SystemPackage

/// Values that are kept for good, by their keys, in a directory that any number of processes share.
///
/// Each addition is a file of its own (``Segment``) that appears whole; nobody waits for anybody, and no file changes after it is there. When several
/// of one size have come together, whoever adds the next merges them into one, so that their number grows with the logarithm of what is kept. A value
/// that was damaged on disk counts as not there; when it is added again, the newer one is found first. All methods block.
public final class SegmentStore: Sendable {
    /// Segments of one order of magnitude that are merged.
    private static let mergedAtOnce = 8
    /// Larger ones stay as they are.
    private static let largestMerged = 1 << 30
    private static let suffix = ".segment"
    /// A temporary file that is older was left by a process that died.
    private static let abandonedAfter = 24.0 * 3600

    private let directory: FilePath
    /// The newest first.
    private let segments: Mutex<[Segment]> = Mutex([])

    /// - Parameter directory: created, with those above it, when something is added.
    public init(directory: FilePath) {
        self.directory = directory
    }

    /// Looks for what others have added.
    public func refresh() throws(RepodataError) {
        let known = Dictionary(segments.withLock { $0 }.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [Segment] = []
        for name in try names().sorted(by: >) where name.hasSuffix(Self.suffix) && !name.hasPrefix(".") {
            if let segment = known[name] {
                found.append(segment)
                continue
            }
            do throws(RepodataError) {
                if let segment = try Segment(opening: directory.appending(name)) { found.append(segment) }
            } catch {
                // Merged into another one since the directory was read: at worst, something is read anew.
                guard access(directory.appending(name).string, F_OK) != 0 else { throw error }
            }
        }
        segments.withLock { $0 = found }
    }

    /// The value of `key`; `nil` where there is none, or none that is whole.
    public func value(of key: Checksum) -> [UInt8]? {
        guard let key = PackageKey(key) else { return nil }
        for segment in segments.withLock({ $0 }) {
            if let value = segment.value(of: key) { return value }
        }
        return nil
    }

    /// Keeps `values`. Throws `.io` when they could not be written.
    public func add(_ values: [Checksum: [UInt8]]) throws(RepodataError) {
        let entries = values.compactMap { key, bytes in
            PackageKey(key).map {
                Segment.Entry(
                    key: $0, length: bytes.count, checksum: bytes.withUnsafeBytes { Segment.checksum($0) }, value: .bytes(bytes))
            }
        }
        if entries.isEmpty { return }
        do {
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        } catch {
            throw RepodataError(.io, "the store of package headers: its directory could not be created")
        }
        try Segment.write(entries, to: directory.appending(Self.freshName()))
        try refresh()
        try merge()
    }

    /// Names sort by time: the newest has the greatest.
    private static func freshName() -> String {
        func digits(_ number: UInt64) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return digits(UInt64(Date.now.timeIntervalSince1970 * 1e9)) + "-" + digits(.random(in: .min ... .max)) + suffix
    }

    private func merge() throws(RepodataError) {
        // A merge may make the next one due; more than these come about only where nothing can be removed.
        for _ in 0..<4 {
            let tiers = Dictionary(grouping: segments.withLock { $0 }.filter { $0.size < Self.largestMerged }) { segment in
                (Int.bitWidth - segment.size.leadingZeroBitCount) / 3
            }
            guard let tier = tiers.values.first(where: { $0.count >= Self.mergedAtOnce }) else { return }
            var kept: Set<PackageKey> = []
            var entries: [Segment.Entry] = []
            for segment in tier {
                for entry in segment.entries where kept.insert(entry.key).inserted { entries.append(entry) }
            }
            // Two processes that do this at once write the same twice, and the next merge drops one of them.
            try Segment.write(entries, to: directory.appending(Self.freshName()))
            for segment in tier { unlink(directory.appending(segment.name).string) }
            removeAbandoned()
            try refresh()
        }
    }

    private func removeAbandoned() {
        // Best effort, as below: a directory that cannot be listed fails whoever reads or writes in it.
        for name in (try? names()) ?? [] where name.hasPrefix(".") && name.hasSuffix(".tmp") {
            let path = directory.appending(name).string
            // Best effort: what cannot be looked at or removed now is tried again the next time.
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                let written = attributes[.modificationDate] as? Date
            else { continue }
            if written.timeIntervalSinceNow < -Self.abandonedAfter { unlink(path) }
        }
    }

    private func names() throws(RepodataError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory.string)
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            return []
        } catch {
            throw RepodataError(.io, "the store of package headers could not be read")
        }
    }
}
