import Glibc
import Hummingbird

extension FrontendConfiguration {
    /// Returns the image service.
    ///
    /// - Throws: ``RequestRejection`` with status 404 if this server builds no images.
    var imageService: ImageService {
        get throws(RequestRejection) {
            if let images { return images }
            throw RequestRejection(
                .notFound, "This server builds no images: the setting images.registry is missing in its configuration.")
        }
    }

    /// Returns why a frontend must not listen at an address, in whole sentences. Returns `nil` if it may.
    ///
    /// A build runs the programs that a request names. As long as requests need no credentials, only
    /// programs of the same host may send requests.
    ///
    /// - Parameter host: An address, or a name of this host. Examples: `127.0.0.1`, `localhost`.
    public func refusal(ofListeningAt host: String) -> String? {
        guard images != nil, access.chain == nil, !Self.isLoopback(host) else { return nil }
        return
            "The frontend must not listen at \(host) while images are built and requests need no authentication: everyone who reaches "
            + "it could run programs here. Set frontend.host to 127.0.0.1, or leave images.registry empty."
    }

    /// Returns whether only programs of this host reach an address. It may be a name of the host.
    public static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" { return true }
        // Room for an address of either family, in the order of the network.
        return withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { address in
            if inet_pton(AF_INET, host, address.baseAddress) == 1 { return address[0] == 127 }
            guard inet_pton(AF_INET6, host, address.baseAddress) == 1 else { return false }
            return address.dropLast().allSatisfy { $0 == 0 } && address[15] == 1
        }
    }
}
