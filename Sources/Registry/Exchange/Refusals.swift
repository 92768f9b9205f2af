import AsyncHTTPClient
import ForeignText
import ImageModel
import NIOHTTP1
import Retries

/// The failures for answers that are not a success, as explanations.
extension RegistryConnection {
    /// The most bytes of a document of errors that are read.
    private static let mostErrorBytes = 64 << 10

    /// A document of errors. OCI Distribution Specification, "Error Codes".
    private struct Errors: Decodable {
        struct Mistake: Decodable {
            let code: String?
            let message: String?
        }

        let errors: [Mistake]?
    }

    /// Returns the failure for an answer.
    ///
    /// - Parameter subject: The thing that was asked for, after "has no". Example: "manifest latest of
    ///   team/web".
    func failure(_ response: HTTPClientResponse, _ call: Call, from url: RegistryURL? = nil, _ subject: String) async -> RegistryFailure {
        let url = url ?? call.url
        let status = response.status.code
        let entries = call.method == .HEAD ? [] : await errors(of: response, url)
        if Task.isCancelled { return .canceled }
        let detail = entries.prefix(3).map { "\($0.code ?? "") \($0.message ?? "")".printable(most: 200) }.joined(separator: ", ")
        let suffix = "(status \(status))" + (detail.isEmpty ? "." : ": \(detail).")
        switch status {
        case 300...399:
            return RegistryFailure(
                .badAnswer,
                "The registry at \(url.origin) redirects a request that is not for a blob (status \(status)). That is not followed.")
        case 401:
            return RegistryFailure(
                .unauthorized,
                "The registry at \(url.origin) does not let this service \(call.purpose) without other credentials \(suffix) "
                    + "The image does not exist, or podman login must add credentials for it.")
        case 403: return RegistryFailure(.denied, "The registry at \(url.origin) does not allow this service to \(call.purpose) \(suffix)")
        case 404 where call.access == .read:
            return RegistryFailure(.notFound, "The registry at \(url.origin) has no \(subject) \(suffix)")
        case 408, 425, 429, 500...599:
            return .unreachable(
                "\(url.origin) answered with the status \(status)\(detail.isEmpty ? "" : ": \(detail)")",
                retryAfter: response.headers.first(name: "retry-after").flatMap(RetryAfter.pause))
        default:
            let isMissing = entries.contains { ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"].contains($0.code) }
            return RegistryFailure(
                isMissing ? .contentMissing : .rejected, "The registry at \(url.origin) refused to accept \(subject) \(suffix)")
        }
    }

    private func errors(of response: HTTPClientResponse, _ url: RegistryURL) async -> [Errors.Mistake] {
        // A page of a proxy, or no answer at all, says no more than the status.
        guard let bytes = try? await body(of: response, from: url, most: Self.mostErrorBytes) else { return [] }
        return (try? BoundedJSON.decode(Errors.self, from: bytes, "The answer"))?.errors ?? []
    }
}
