public import AsyncHTTPClient
import NIOCore

/// How much is read from a source, and how patiently.
public struct SourceLimits: Hashable, Sendable {
    /// Bytes of one metadata document as it is stored, that is compressed; also of repomd.xml.
    public var metadataBytes: Int
    /// Bytes of one metadata document when it is decompressed.
    public var metadataOpenBytes: Int
    /// Bytes of a modules.yaml when it is decompressed, all of which have to fit in memory, several times over.
    public var modulesOpenBytes: Int
    /// Bytes of one package file.
    public var packageBytes: Int
    /// For making a connection.
    public var connectTimeout: Duration
    /// For a server's silence: until it answers, and between two pieces of an answer.
    public var readTimeout: Duration
    /// Bytes in a second. An answer that after ``readTimeout`` comes more slowly, on average, is given up.
    public var minimumRate: Int
    /// For one file, all attempts together.
    public var downloadTime: Duration
    /// Bytes of all metadata that is kept, decompressed; what was used least recently is removed first. What a compose uses stays.
    public var cacheBytes: Int
    /// How often one file is asked for before its server counts as not reachable.
    public var attempts: Int
    /// The pause before the second attempt; it doubles each time, and every pause is shortened at random by up to half.
    public var firstPause: Duration
    /// The longest pause between two attempts.
    public var longestPause: Duration
    /// Files that are downloaded at once for one compose.
    public var concurrentDownloads: Int
    /// Headers of packages that are fetched at once for one compose: a few thousand bytes each, so that most of the time is spent waiting.
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
        self.attempts = max(1, attempts)
        self.firstPause = firstPause
        self.longestPause = longestPause
        self.concurrentDownloads = max(1, concurrentDownloads)
        self.concurrentHeaders = max(1, concurrentHeaders)
    }

    /// The configuration that the HTTP client given to ``RepositorySource`` and ``PackageDelivery`` must have.
    ///
    /// Redirects are not followed by the client, because each target has to be allowed first, and nothing is decompressed, because checksums are
    /// of the bytes as they are stored.
    public var httpClientConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(connectTimeout), read: TimeAmount(readTimeout)),
            decompression: .disabled)
        // Attempts are counted here; the client's own would hide a refused connection until the timeout.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit, concurrentHeaders)
        return configuration
    }

    /// The pause after attempt number `attempt`, the first being 1.
    func pause(after attempt: Int) -> Duration {
        let full = min(longestPause, firstPause * (1 << min(attempt - 1, 16)))
        return full * Double.random(in: 0.5...1)
    }
}
