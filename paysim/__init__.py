"""A payment provider to rehearse with: speaks Alipay's, WeChat Pay's and Stripe's wire protocols, moves no money."""
