import Compression
import Glibc
import NIOPosix
import Repodata
import SystemPackage

/// A source reader brings files of a source to this host, either from its disks or from an address.
struct SourceReader: Sendable {
    /// The maximum size in bytes of a repomd.xml. Real ones have a few thousand bytes.
    static let largestRepomd = 1 << 20

    let access: SourceAccess
    let transfer: HTTPTransfer
    let threadPool: NIOThreadPool

    /// Returns the bytes of a small file.
    func contents(of file: SourceFile, limit: Int) async throws(TransferProblem) -> [UInt8] {
        // Without a known version the bytes are always sent.
        try await contents(of: file, limit: limit, unless: nil).bytes ?? []
    }

    /// Returns the bytes of a small file and its version, if the server names one.
    ///
    /// - Parameter known: A version of the file. If the server confirms it, the bytes are `nil`.
    func contents(
        of file: SourceFile, limit: Int, unless known: FileVersion?
    ) async throws(TransferProblem) -> (bytes: [UInt8]?, version: FileVersion?) {
        switch file {
        case .remote(let url, let asWritten):
            return try await transfer.inTime(url, bytes: limit) { (transfer) async throws(TransferProblem) in
                let target = MemoryTarget()
                let receipt = try await transfer.get(url, or: asWritten, into: target, size: nil, limit: limit, unless: known)
                return (receipt.isConfirmed ? nil : target.bytes, receipt.version)
            }
        case .local(let file):
            return try await threadPool.run(canceled: .canceled) { () throws(TransferProblem) in
                (try file.use { (file) throws(TransferProblem) in try file.contents(atMost: limit) }, nil)
            }
        }
    }

    /// Writes the file to the new path `destination`. It arrives complete, with `size` bytes and the
    /// checksum `expected`, or not at all.
    func fetch(
        _ file: SourceFile, to destination: FilePath, size: Int?, limit: Int, expecting expected: Checksum
    ) async throws(TransferProblem) {
        do throws(TransferProblem) {
            switch file {
            case .remote(let url, let asWritten):
                try await transfer.inTime(url, bytes: size ?? limit) { (transfer) async throws(TransferProblem) in
                    try await download(
                        url, or: asWritten, by: transfer, to: destination, size: size, limit: limit, expecting: expected)
                }
            case .local(let file):
                try await threadPool.run(canceled: .canceled) { () throws(TransferProblem) in
                    try file.use { (file) throws(TransferProblem) in
                        try file.copy(to: destination, size: size, limit: limit)
                        try RegularFile.verify(destination, is: expected)
                    }
                }
            }
        } catch {
            await threadPool.runAlways { unlink(destination.string) }
            throw error
        }
    }

    private func download(
        _ url: RepositoryURL, or asWritten: RepositoryURL?, by transfer: HTTPTransfer, to destination: FilePath, size: Int?, limit: Int,
        expecting expected: Checksum
    ) async throws(TransferProblem) {
        let target = try await FileTarget(destination, on: threadPool)
        let isPieced = try await transfer.get(url, or: asWritten, into: target, size: size, limit: limit).isPieced
        do throws(TransferProblem) {
            try await verify(target, at: destination, is: expected)
        } catch .checksum where isPieced {
            // The pieces may be of two files, if the server sends nothing to distinguish the files. So the
            // download is repeated once from the start.
            try await target.restart()
            try await transfer.get(url, or: asWritten, into: target, size: size, limit: limit)
            try await verify(target, at: destination, is: expected)
        }
        try await target.close()
    }

    private func verify(_ target: FileTarget, at path: FilePath, is expected: Checksum) async throws(TransferProblem) {
        try await target.flush()
        try await threadPool.run(canceled: .canceled) { () throws(TransferProblem) in
            try RegularFile.verify(path, is: expected)
        }
    }
}

extension OpenFile {
    /// Returns all bytes of a small file. Blocks.
    fileprivate func contents(atMost limit: Int) throws(TransferProblem) -> [UInt8] {
        guard size <= limit else { throw .overLimit(limit) }
        return try read { (descriptor) throws(TransferProblem) in
            do throws(Errno) {
                return try RegularFile.contents(of: descriptor, atMost: limit)
            } catch {
                throw TransferProblem(reading: error)
            }
        }
    }

    /// Copies the file to the new path `destination`. Blocks.
    fileprivate func copy(to destination: FilePath, size expected: Int?, limit: Int) throws(TransferProblem) {
        try check(size: expected)
        guard size <= limit else { throw .overLimit(limit) }
        try RegularFile.create(
            destination,
            { (target) throws(TransferProblem) in
                let size = self.size
                let copied = try self.read { (source) throws(TransferProblem) in try RegularFile.copy(source, to: target, count: size) }
                // The file was truncated while it was read.
                guard copied == size else { throw .truncated(expected: size, found: copied, wasCut: false) }
            }, storage: { .storage($0) })
    }

    /// Throws unless the file has `expected` bytes. If `expected` is `nil`, any size is accepted.
    func check(size expected: Int?) throws(TransferProblem) {
        guard let expected, size != expected else { return }
        throw size < expected ? .truncated(expected: expected, found: size, wasCut: false) : .larger(expected: expected, found: size)
    }
}
