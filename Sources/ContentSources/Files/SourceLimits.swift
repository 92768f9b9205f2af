public import AsyncHTTPClient
import NIOCore
import Retries

/// The limits for reading a source: sizes, times and the number of attempts.
public struct SourceLimits: Hashable, Sendable {
    /// The maximum size in bytes of a metadata document as it is stored, usually compressed. It also
    /// applies to repomd.xml.
    public var metadataBytes: Int
    /// The maximum size in bytes of a decompressed metadata document.
    public var metadataOpenBytes: Int
    /// The maximum size in bytes of a decompressed modules.yaml. The whole document has to fit in memory
    /// several times.
    ///
    /// It also applies to other documents that are not checked as XML, such as a kept updateinfo.xml.
    public var modulesOpenBytes: Int
    /// The maximum size in bytes of a package file.
    public var packageBytes: Int
    /// The maximum time to establish a connection.
    public var connectTimeout: Duration
    /// The maximum silence of a server, until it answers and between two pieces of an answer.
    public var readTimeout: Duration
    /// The minimum average rate in bytes per second. After ``readTimeout`` a slower answer is given up.
    public var minimumRate: Int
    /// The maximum time to download one file, all attempts together.
    public var downloadTime: Duration
    /// The maximum size in bytes of all kept metadata, decompressed. The least recently used metadata is
    /// removed first.
    ///
    /// Metadata that a compose uses is not removed.
    public var cacheBytes: Int
    /// Whether a revision of a repository is kept as the differences to an older one, if there are few.
    public var keepsLayers: Bool
    /// The time for which a server may confirm that a repomd.xml is unchanged. Then the file is sent again
    /// as a whole, so that a server with faulty answers is noticed.
    public var confirmationTime: Duration
    /// The number of times that a file is requested before its server counts as unreachable.
    public var attempts: Int
    /// The pause before the second attempt. Each later pause is twice as long, up to ``longestPause``.
    /// Every pause is shortened at random by up to half.
    public var firstPause: Duration
    /// The longest pause between two attempts.
    public var longestPause: Duration
    /// The number of files that are downloaded at once for one compose.
    public var concurrentDownloads: Int
    /// The number of package headers that are fetched at once for one compose.
    ///
    /// A header has only a few thousand bytes, so most of the time is spent waiting.
    public var concurrentHeaders: Int

    public init(
        metadataBytes: Int = 1 << 30,
        metadataOpenBytes: Int = 8 << 30,
        modulesOpenBytes: Int = 128 << 20,
        packageBytes: Int = 8 << 30,
        connectTimeout: Duration = .seconds(10),
        readTimeout: Duration = .seconds(30),
        minimumRate: Int = 1000,
        downloadTime: Duration = .seconds(3600),
        cacheBytes: Int = 20 << 30,
        keepsLayers: Bool = true,
        confirmationTime: Duration = .seconds(600),
        attempts: Int = 3,
        firstPause: Duration = .milliseconds(500),
        longestPause: Duration = .seconds(10),
        concurrentDownloads: Int = 8,
        concurrentHeaders: Int = 16
    ) {
        self.metadataBytes = metadataBytes
        self.metadataOpenBytes = metadataOpenBytes
        self.modulesOpenBytes = modulesOpenBytes
        self.packageBytes = packageBytes
        self.connectTimeout = connectTimeout
        self.readTimeout = readTimeout
        self.minimumRate = minimumRate
        self.downloadTime = downloadTime
        self.cacheBytes = cacheBytes
        self.keepsLayers = keepsLayers
        self.confirmationTime = confirmationTime
        self.attempts = max(1, attempts)
        self.firstPause = firstPause
        self.longestPause = longestPause
        self.concurrentDownloads = max(1, concurrentDownloads)
        self.concurrentHeaders = max(1, concurrentHeaders)
    }

    /// The configuration that the HTTP client given to ``RepositorySource`` and ``PackageDelivery`` must
    /// have.
    ///
    /// The client does not follow redirects, because each target has to be allowed first. It does not
    /// decompress, because checksums refer to the bytes as they are stored.
    public var httpClientConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(connectTimeout), read: TimeAmount(readTimeout)),
            decompression: .disabled)
        // Attempts are counted by this service. The client's own retries would hide a refused connection until
        // the timeout.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit, concurrentHeaders)
        return configuration
    }

    /// The pauses between two attempts.
    var backoff: Backoff { Backoff(first: firstPause, longest: longestPause) }
}
