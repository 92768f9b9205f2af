import AsyncHTTPClient
public import NIOCore
import NIOPosix
public import SystemPackage

/// A *context upload* is the file of a build context that is sent to the service: a tar, or a tar
/// compressed with Zstandard. The file must not change meanwhile.
public struct ContextUpload: Sendable {
    let file: FilePath
    let bytes: Int

    public init(file: FilePath, bytes: Int) {
        self.file = file
        self.bytes = bytes
    }

    var body: HTTPClientRequest.Body { .stream(FileBytes(file), length: .known(Int64(bytes))) }
    var contentType: String { file.extension == "zst" ? "application/zstd" : "application/x-tar" }
    /// The time that the upload may take beside that of an answer: 100 kB a second.
    var time: Duration { .seconds(bytes / 100_000) }
}

/// The bytes of a file, read as they are taken.
public struct FileBytes: AsyncSequence, Sendable {
    public typealias Element = ByteBuffer

    private let path: FilePath

    public init(_ path: FilePath) { self.path = path }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(path: path) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private static let piece = 1 << 20

        let path: FilePath
        private var offset = 0

        init(path: FilePath) { self.path = path }

        public mutating func next() async throws -> ByteBuffer? {
            let (path, offset) = (path, offset)
            let bytes = try await NIOThreadPool.singleton.runIfActive {
                let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
                return try file.closeAfter {
                    try [UInt8](unsafeUninitializedCapacity: Self.piece) { buffer, count in
                        count = try file.read(fromAbsoluteOffset: Int64(offset), into: UnsafeMutableRawBufferPointer(buffer))
                    }
                }
            }
            self.offset += bytes.count
            return bytes.isEmpty ? nil : ByteBuffer(bytes: bytes)
        }
    }
}
