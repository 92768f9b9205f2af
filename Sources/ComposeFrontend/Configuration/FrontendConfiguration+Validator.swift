extension FrontendConfiguration {
    /// The validator of requests to a frontend with this configuration.
    var validator: RequestValidator {
        RequestValidator(
            limits: limits, admission: admission, targets: targets.keys.sorted(), rawConfigs: rawConfigURLs.keys.sorted())
    }
}
