import AsyncHTTPClient
import NIOHTTP1

/// A part of a file at an address, with the server's statements about the whole file.
struct FilePart: Sendable {
    /// The bytes of the part. There are fewer than requested if the file ends earlier.
    let bytes: [UInt8]
    /// The size of the whole file in bytes, if the server reports it.
    let size: Int?
    /// The file's ETag, or else the time of its last change. A different text means a different file.
    ///
    /// It is `nil` if the server reports neither.
    let version: String?
}

extension HTTPTransfer {
    /// Fetches the bytes `range` of the file at `url`.
    ///
    /// A server that ignores `Range` sends the file from its start. Then the bytes before `range` are
    /// dropped as they come, and nothing after the end of `range` is received. If `range` begins after more
    /// than ``mostDropped`` bytes, throws `.notPermitted`.
    ///
    /// Retries and redirects follow the rules of ``get(_:into:size:limit:unless:)``.
    func part(_ range: Range<Int>, of url: RepositoryURL) async throws(TransferProblem) -> FilePart {
        let most = range.count + min(range.lowerBound, Self.mostDropped)
        return try await inTime(url, bytes: most) { (transfer) async throws(TransferProblem) in
            try await transfer.partOnce(range, of: url)
        }
    }

    /// The maximum number of bytes to receive before the part that is needed. Headers of packages are read
    /// in two or three parts, and are rarely that large.
    private static let mostDropped = 16 << 20

    private func partOnce(_ range: Range<Int>, of url: RepositoryURL) async throws(TransferProblem) -> FilePart {
        try await persistently(url, received: { 0 }) { () async throws(TransferProblem) in
            let response = try await respond(url, ["range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"]).response
            let isPart = response.status == .partialContent
            guard response.status != .rangeNotSatisfiable else {
                return FilePart(bytes: [], size: response.wholeSize, version: response.version)
            }
            guard response.status == .ok || (isPart && response.continues(at: range.lowerBound)) else {
                throw .unreachable("\(url.origin) answered with another part of the file than it was asked for")
            }
            guard isPart || range.lowerBound <= Self.mostDropped else {
                throw .notPermitted(
                    "\(url.origin) sends whole files only, and \(range.lowerBound) bytes come before the part that is needed; "
                        + "this service accepts at most \(Self.mostDropped) of them")
            }
            let announced = response.announced
            let size = isPart ? response.wholeSize : announced
            let target = PartTarget(isPart ? 0..<range.count : range)
            let wanted = target.part.upperBound
            let isWhole = try await receive(response, from: url, into: target, most: (nil, .max), enough: wanted)
            if let announced, target.count < min(announced, wanted) {
                throw .truncated(expected: min(announced, wanted), found: target.count, wasCut: true)
            }
            guard isWhole else { throw .unreachable("the connection to \(url.origin) was cut") }
            let bytes = target.bytes
            if isPart, let size, bytes.count < min(range.count, size - range.lowerBound) {
                throw .truncated(expected: min(range.count, size - range.lowerBound), found: bytes.count, wasCut: true)
            }
            return FilePart(bytes: bytes, size: size, version: response.version)
        }
    }
}

extension HTTPClientResponse {
    /// The size of the whole file in bytes, from the `Content-Range` of a part. Example: 1234 for
    /// `bytes 0-99/1234`.
    fileprivate var wholeSize: Int? {
        headers.first(name: "content-range").flatMap { text in text.lastIndex(of: "/").flatMap { Int(text[$0...].dropFirst()) } }
            .flatMap { $0 >= 0 ? $0 : nil }
    }

    fileprivate var version: String? { headers.first(name: "etag") ?? headers.first(name: "last-modified") }
}
